import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agesOf } from '../../../../functions/core/retention/ages.ts';

const now = new Date('2026-01-02T00:00:00Z');

describe('the age of a recovery point', () => {
  it('is counted from when it began, not from when it was written or proven', () => {
    const point = { startedAt: '2026-01-01T23:00:00Z', completedAt: '2026-01-01T23:59:00Z' };
    expect(agesOf(point, point, now)).toEqual({ recoveryPointSeconds: 3600, replicaSeconds: 3600 });
  });

  it('is no number where there is none', () => {
    expect(agesOf(undefined, undefined, now)).toEqual({
      recoveryPointSeconds: undefined,
      replicaSeconds: undefined,
    });
  });

  it('grows with the clock alone, and is never below zero', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 8 }), fc.integer({ min: 0, max: 10 ** 6 }), (at, later) => {
        const point = { startedAt: new Date(at * 1000).toISOString() };
        const age = agesOf(point, undefined, new Date((at + later) * 1000)).recoveryPointSeconds;
        expect(age).toBe(later);
        expect(agesOf(point, undefined, new Date((at - later) * 1000)).recoveryPointSeconds).toBe(0);
      }),
    );
  });
});
