import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../infra/config/load.ts';
import { MARGIN_DAYS, oldVersionDays, verificationProblem } from '../../../infra/config/old-versions.ts';
import { GOOD, spoilt } from './config-text.ts';

const verificationOf = (schedule: string, parts: number, enabled = true) => ({
  enabled,
  schedule,
  timeZone: 'UTC',
  parts,
});
const vault = (noncurrentDays?: number) => ({
  ...parseConfig(GOOD, 'holdfast.yaml').vault,
  ...(noncurrentDays !== undefined && { noncurrentDays }),
});
const parts = fc.integer({ min: 1, max: 256 });
const period = fc.integer({ min: 1, max: 60 });

describe('old versions stay until every byte was read again', () => {
  it('is required of every schedule, number of parts and number of days, and of nothing else', () => {
    fc.assert(
      fc.property(parts, period, fc.integer({ min: 1, max: 20_000 }), (of, days, kept) => {
        const problem = verificationProblem(verificationOf(`rate(${days} days)`, of), vault(kept));
        expect(problem === undefined).toBe(kept >= of * days + MARGIN_DAYS);
      }),
    );
  });

  it('so whatever is overwritten, whenever, is found while a person has a week to restore it', () => {
    fc.assert(
      fc.property(
        parts,
        period,
        fc.record({
          part: fc.nat(255),
          first: fc.nat(60),
          at: fc.double({ min: 0, max: 3000, noNaN: true }),
        }),
        (of, days, { part, first, at }) => {
          const kept = of * days + MARGIN_DAYS;
          expect(verificationProblem(verificationOf(`rate(${days} days)`, of), vault(kept))).toBeUndefined();
          const read = (run: number) => run % of === part % of && first + run * days >= at;
          let run = 0;
          while (!read(run)) run++;
          const found = first + run * days;
          expect(at + kept - found).toBeGreaterThanOrEqual(first > at ? MARGIN_DAYS - first : MARGIN_DAYS);
        },
      ),
    );
  });

  it.each([
    ['0 4 * * 0', 8, 63],
    ['0 4 1 * *', 2, 69], // a month has 31 days
    ['0 4 * * *', 54, 61],
    ['0 */6 * * *', 256, 71],
    ['rate(12 hours)', 108, 61],
  ])('%s with %i parts needs %i days', (schedule, of, days) => {
    expect(verificationProblem(verificationOf(schedule, of), vault())).toContain(`at least ${days}`);
    expect(verificationProblem(verificationOf(schedule, of), vault(days))).toBeUndefined();
    expect(verificationProblem(verificationOf(schedule, of), vault(days - 1))).toBeDefined();
  });

  it('is not asked of a verification that has no schedule', () => {
    expect(verificationProblem(verificationOf('0 4 * * 0', 256, false), vault())).toBeUndefined();
  });

  it('cannot be said of a schedule without an interval, which is refused', () => {
    expect(verificationProblem(verificationOf('cron(0 4 1 1 ? 2027)', 1), vault())).toContain(
      'has no interval that can be calculated',
    );
  });
});

describe('what holdfast.yaml says', () => {
  it('fits by default, with and without Object Lock', () => {
    expect(oldVersionDays(parseConfig(GOOD, 'holdfast.yaml').vault)).toBe(60);
    for (const days of [3, 400]) {
      const locked = parseConfig(
        spoilt(['vault', 'objectLock'], { mode: 'governance', days }),
        'holdfast.yaml',
      );
      expect(oldVersionDays(locked.vault)).toBe(Math.max(60, days));
    }
  });

  it('is refused with both settings and the remedy where it does not', () => {
    expect(() => parseConfig(spoilt(['vault', 'noncurrentDays'], 30), 'holdfast.yaml')).toThrow(
      'holdfast.yaml:6 clusters[0]: verification reads every byte again within 56 days (7 parts, one every 7 days, and 7 days to act), but vault.noncurrentDays keeps earlier versions for 30 days; set vault.noncurrentDays to at least 56, or lower verification.parts, or shorten verification.schedule',
    );
  });

  it('is refused of more parts than the default allows', () => {
    const text = spoilt(['clusters', 0, 'verification'], { parts: 100 });
    expect(() => parseConfig(text, 'holdfast.yaml')).toThrow('at least 707');
  });
});
