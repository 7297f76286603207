import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRetention, type RecoveryPoint } from '../../../functions/core/retention.ts';

const point = fc.record({
  at: fc.integer({ min: 0, max: 1e9 }).map((s) => new Date(s * 1000)),
  phase: fc.constantFrom('Completed' as const, 'PartiallyFailed' as const, 'Failed' as const),
  replicated: fc.boolean(),
});
const history = fc
  .uniqueArray(point, { selector: (p) => p.at.getTime(), maxLength: 30 })
  .map((points) => points.map((p): RecoveryPoint => ({ ...p, backup: `b-${p.at.getTime()}` })));
const keepLast = fc.integer({ min: 1, max: 10 });
const kept = (points: readonly RecoveryPoint[], n: number) =>
  new Set(
    decideRetention(points, { keepLast: n })
      .filter((d) => d.keep)
      .map((d) => d.backup),
  );

describe('retention', () => {
  it('never removes the last Completed recovery point', () => {
    fc.assert(
      fc.property(history, keepLast, (points, n) => {
        const good = points
          .filter((p) => p.phase === 'Completed')
          .sort((a, b) => b.at.getTime() - a.at.getTime())[0];
        expect(good === undefined || kept(points, n).has(good.backup)).toBe(true);
      }),
    );
  });
  it('never removes one that is not proven in the replica', () => {
    fc.assert(
      fc.property(history, keepLast, (points, n) => {
        const open = points.filter((p) => p.phase !== 'Failed' && !p.replicated);
        expect(open.filter((p) => !kept(points, n).has(p.backup))).toEqual([]);
      }),
    );
  });
  it('keeps no less when it is told to keep more', () => {
    fc.assert(
      fc.property(
        history,
        keepLast,
        (points, n) => void expect([...kept(points, n)].every((b) => kept(points, n + 1).has(b))).toBe(true),
      ),
    );
  });
  it('does not depend on the order in which it is told', () => {
    fc.assert(
      fc.property(
        history,
        keepLast,
        (points, n) =>
          void expect(decideRetention(points.toReversed(), { keepLast: n })).toEqual(
            decideRetention(points, { keepLast: n }),
          ),
      ),
    );
  });
  it('gives a reason for everything', () => {
    fc.assert(
      fc.property(
        history,
        keepLast,
        (points, n) =>
          void expect(decideRetention(points, { keepLast: n }).every((d) => d.reasons.length > 0)).toBe(true),
      ),
    );
  });
  it('keeps exactly the last two of five proven ones', () => {
    const points = [1, 2, 3, 4, 5].map(
      (d): RecoveryPoint => ({
        backup: `b${d}`,
        at: new Date(`2026-01-0${d}`),
        phase: 'Completed',
        replicated: true,
      }),
    );
    expect(kept(points, 2)).toEqual(new Set(['b5', 'b4']));
  });
  it('that keeps nothing is refused', () => {
    expect(() => decideRetention([], { keepLast: 0 })).toThrow(/keeps nothing/);
  });
});
