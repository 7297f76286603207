import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRetention, type RecoveryPoint } from '../../../functions/core/retention.ts';

const points = fc
  .array(
    fc.record({
      hour: fc.nat(30),
      phase: fc.constantFrom('Completed' as const, 'PartiallyFailed' as const, 'Failed' as const),
      replicated: fc.boolean(),
    }),
    { maxLength: 15 },
  )
  .map((all) =>
    all.map(
      ({ hour, phase, replicated }, i): RecoveryPoint => ({
        backup: `daily-${String(i).padStart(2, '0')}`,
        at: new Date(Date.UTC(2026, 0, 1, hour)),
        phase,
        replicated,
      }),
    ),
  );
const keepLast = fc.integer({ min: 1, max: 8 });

const kept = (all: readonly RecoveryPoint[], n: number) =>
  decideRetention(all, { keepLast: n })
    .filter((d) => d.keep)
    .map((d) => d.backup);

const day = (d: number, phase: RecoveryPoint['phase'] = 'Completed', replicated = true): RecoveryPoint => ({
  backup: `daily-${d}`,
  at: new Date(Date.UTC(2026, 0, d)),
  phase,
  replicated,
});

describe('retention', () => {
  it('keeps the newest and removes the rest, newest first', () => {
    expect(decideRetention([day(1), day(3), day(2)], { keepLast: 2 })).toEqual([
      { backup: 'daily-3', keep: true, reasons: ['keep-last 1 of 2', 'last good recovery point'] },
      { backup: 'daily-2', keep: true, reasons: ['keep-last 2 of 2'] },
      { backup: 'daily-1', keep: false, reasons: ['beyond keep-last 2'] },
    ]);
  });

  it('does not let failed backups push good ones out', () => {
    expect(kept([day(1), day(2), day(3, 'Failed'), day(4, 'Failed')], 2)).toEqual(['daily-2', 'daily-1']);
  });

  it('removes a failed one because it holds nothing, however few there are', () => {
    const [first] = decideRetention([day(1), day(2, 'Failed')], { keepLast: 5 });
    expect(first).toEqual({ backup: 'daily-2', keep: false, reasons: ['failed: it holds nothing'] });
  });

  it('keeps the last good one behind any number of partial ones', () => {
    const all = [day(1), day(2, 'PartiallyFailed'), day(3, 'PartiallyFailed')];
    expect(kept(all, 1)).toEqual(['daily-3', 'daily-1']);
  });

  it('never removes the last Completed recovery point', () => {
    fc.assert(
      fc.property(points, keepLast, (all, n) => {
        const good = all.filter((p) => p.phase === 'Completed');
        fc.pre(good.length > 0);
        const newest = Math.max(...good.map((p) => p.at.getTime()));
        const names = new Set(kept(all, n));
        expect(good.filter((p) => p.at.getTime() === newest).some((p) => names.has(p.backup))).toBe(true);
      }),
    );
  });

  it('never removes what holds something and has no proven replica', () => {
    fc.assert(
      fc.property(points, keepLast, (all, n) => {
        const alone = all.filter((p) => p.phase !== 'Failed' && !p.replicated).map((p) => p.backup);
        expect(kept(all, n)).toEqual(expect.arrayContaining(alone));
      }),
    );
  });

  it('keeps at least keepLast recovery points that hold something', () => {
    fc.assert(
      fc.property(points, keepLast, (all, n) => {
        const holding = all.filter((p) => p.phase !== 'Failed').length;
        expect(kept(all, n).length).toBeGreaterThanOrEqual(Math.min(n, holding));
      }),
    );
  });

  it('removes something as soon as there is more than it must keep', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), keepLast, (days, n) => {
        const all = Array.from({ length: days }, (_, i) => day(i + 1));
        expect(kept(all, n)).toHaveLength(Math.min(days, n));
      }),
    );
  });

  it('never keeps less under a more generous policy', () => {
    fc.assert(
      fc.property(points, keepLast, fc.nat(8), (all, n, more) => {
        expect(kept(all, n + more)).toEqual(expect.arrayContaining(kept(all, n)));
      }),
    );
  });

  it('does not depend on the order in which recovery points are listed', () => {
    const shuffled = points.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, keepLast, ([all, other], n) => {
        expect(decideRetention(other, { keepLast: n })).toEqual(decideRetention(all, { keepLast: n }));
      }),
    );
  });

  it('decides every recovery point once and says why', () => {
    fc.assert(
      fc.property(points, keepLast, (all, n) => {
        const decisions = decideRetention(all, { keepLast: n });
        expect(decisions.map((d) => d.backup).sort()).toEqual(all.map((p) => p.backup).sort());
        for (const d of decisions) expect(d.reasons.join('')).not.toBe('');
      }),
    );
  });

  it('does not touch the list that it is given', () => {
    const all = Object.freeze([day(1), day(2)]);
    expect(() => decideRetention(all, { keepLast: 1 })).not.toThrow();
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the policy keepLast %d', (n) => {
    expect(() => decideRetention([day(1)], { keepLast: n })).toThrow(RangeError);
  });
});
