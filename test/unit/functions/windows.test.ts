import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { windowsOf } from '../../../functions/restore/windows.ts';

describe('windows of items', () => {
  it('have all items in their order, each within the bound or of one item, and are as few as that allows', () => {
    const items = fc.array(fc.record({ bytes: fc.nat(100) }));
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 150 }), (all, max) => {
        const windows = [...windowsOf(all, max)];
        const sizes = windows.map((w) => w.reduce((sum, i) => sum + i.bytes, 0));
        expect(windows.flat()).toEqual(all);
        expect(windows.every((w, i) => w.length === 1 || (sizes[i] ?? 0) <= max)).toBe(true);
        expect(windows.slice(1).every((w, i) => (sizes[i] ?? 0) + (w[0]?.bytes ?? 0) > max)).toBe(true);
      }),
    );
  });
});
