import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Retention } from '../../../../functions/contract/settings.ts';
import { decideRetention, type RecoveryPoint } from '../../../../functions/core/retention/retention.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const ZONES = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Kiritimati'];

const state = fc.constantFrom('good', 'good', 'partial', 'missing', 'excluded');
const names = fc.constantFrom('volume shop/a', 'volume shop/b', 'control plane etcd');
/** Recovery points of three years, some at the same instant, of every kind. */
const point = fc.record({
  at: fc.date({ min: new Date('2023-06-01T00:00:00Z'), max: NOW, noInvalidDate: true }),
  phase: fc.constantFrom('Completed', 'Completed', 'PartiallyFailed', 'Failed', 'Unknown'),
  replicated: fc.boolean(),
  signed: fc.boolean(),
  tags: fc.subarray(['a', 'b', 'c']),
  volumes: fc.option(
    fc.array(fc.tuple(names, state), { maxLength: 3 }).map((all) => new Map(all)),
    { nil: undefined },
  ),
  lockedUntil: fc.option(
    fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }),
    {
      nil: undefined,
    },
  ),
  held: fc.option(fc.constant('kept in the primary'), { nil: undefined, freq: 9 }),
}) satisfies fc.Arbitrary<Omit<RecoveryPoint, 'backup'>>;
const points = fc
  .array(point, { maxLength: 25 })
  .map((all) => all.map((p, i): RecoveryPoint => ({ backup: `daily-${String(i).padStart(2, '0')}`, ...p })));
/** Few protect themselves: what is removed is what a rule does not want. */
const plain = points.map((all) =>
  all.map(
    (p): RecoveryPoint => ({
      ...p,
      replicated: p.phase !== 'Failed',
      lockedUntil: undefined,
      held: undefined,
    }),
  ),
);

const COUNTS = ['keepLast', 'keepHourly', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;
const WITHINS = [
  'keepWithin',
  'keepWithinHourly',
  'keepWithinDaily',
  'keepWithinWeekly',
  'keepWithinMonthly',
  'keepWithinYearly',
] as const;
const duration = fc
  .tuple(fc.nat(1), fc.nat(13), fc.nat(40), fc.nat(50))
  .filter((parts) => parts.some((n) => n > 0));
const text = (parts: readonly number[]) =>
  parts.map((n, i) => (n > 0 ? `${n}${['y', 'm', 'd', 'h'][i]}` : '')).join('');

interface Drawn {
  readonly counts: Partial<Record<(typeof COUNTS)[number], number>>;
  readonly withins: Partial<Record<(typeof WITHINS)[number], [number, number, number, number]>>;
  readonly keepTags: string[][];
}
const count = fc.integer({ min: 1, max: 6 });
const drawn: fc.Arbitrary<Drawn> = fc.record({
  counts: fc.record(Object.fromEntries(COUNTS.map((name) => [name, count])), { requiredKeys: [] }),
  withins: fc.record(Object.fromEntries(WITHINS.map((name) => [name, duration])), { requiredKeys: [] }),
  keepTags: fc.array(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { maxLength: 2 }),
});
const policyOf = ({ counts, withins, keepTags }: Drawn): Retention => ({
  ...counts,
  ...Object.fromEntries(Object.entries(withins).map(([name, parts]) => [name, text(parts)])),
  ...(keepTags.length > 0 && { keepTags }),
});
const isEmpty = (d: Drawn) => Object.keys(policyOf(d)).length === 0;
const policy = drawn.filter((d) => !isEmpty(d));
const withTtl = fc
  .tuple(policy.map(policyOf), fc.option(duration.map(text), { nil: undefined }))
  .map(([p, ttl]): Retention => ({ ...p, ...(ttl && { ttl }) }));
const zone = fc.constantFrom(...ZONES);

const kept = (all: readonly RecoveryPoint[], p: Retention, timeZone = 'UTC', now = NOW) =>
  decideRetention(all, p, timeZone, now)
    .filter((d) => d.keep)
    .map((d) => d.backup);
const newest = (all: readonly RecoveryPoint[]) => all.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0];

describe('retention, over any history and policy', () => {
  it('never removes the last Completed recovery point', () => {
    fc.assert(
      fc.property(points, withTtl, zone, (all, p, tz) => {
        const good = newest(all.filter((q) => q.phase === 'Completed'));
        fc.pre(good !== undefined);
        const same = all.filter((q) => q.phase === 'Completed' && q.at.getTime() === good.at.getTime());
        const names = kept(all, p, tz);
        expect(same.some((q) => names.includes(q.backup))).toBe(true);
      }),
    );
  });

  it('never removes one that holds something and is not proven in the second region, is locked, held, or at work', () => {
    fc.assert(
      fc.property(points, withTtl, zone, (all, p, tz) => {
        const safe = all.filter(
          (q) =>
            q.phase === 'Unknown' ||
            (q.phase !== 'Failed' && !q.replicated) ||
            (q.lockedUntil !== undefined && q.lockedUntil > NOW) ||
            q.held !== undefined,
        );
        expect(kept(all, p, tz)).toEqual(expect.arrayContaining(safe.map((q) => q.backup)));
      }),
    );
  });

  it('never keeps less under a more generous policy', () => {
    const more = fc.record({
      counts: fc.record(Object.fromEntries(COUNTS.map((name) => [name, fc.nat(4)]))),
      within: fc.tuple(fc.nat(1), fc.nat(5), fc.nat(20), fc.nat(30)),
      added: drawn,
    });
    fc.assert(
      fc.property(points, policy, more, zone, (all, less, { counts, within, added }, tz) => {
        const generous: Drawn = {
          counts: {
            ...added.counts,
            ...Object.fromEntries(Object.entries(less.counts).map(([k, n]) => [k, n + (counts[k] ?? 0)])),
          },
          withins: {
            ...added.withins,
            // One part alone: a month is not always more than thirty days, nor a longer step back a longer day.
            ...Object.fromEntries(
              Object.entries(less.withins).map(([k, parts]) => [
                k,
                [parts[0] + within[0], ...parts.slice(1)],
              ]),
            ),
          },
          keepTags: [...less.keepTags, ...added.keepTags],
        };
        expect(kept(all, policyOf(generous), tz)).toEqual(
          expect.arrayContaining(kept(all, policyOf(less), tz)),
        );
      }),
    );
  });

  it.each([1, 2, 3])('never keeps less within a longer time: part %i of a duration', (part) => {
    fc.assert(
      fc.property(
        points,
        fc.constantFrom(...WITHINS),
        fc.nat(20),
        fc.integer({ min: 1, max: 20 }),
        zone,
        (all, name, n, more, tz) => {
          const of = (value: number) => ({ [name]: text([0, 0, 0, 0].with(part, value)) });
          expect(kept(all, of(n + 1 + more), tz)).toEqual(expect.arrayContaining(kept(all, of(n + 1), tz)));
        },
      ),
    );
  });

  it('never keeps less with a longer ttl, or none', () => {
    fc.assert(
      fc.property(points, policy, fc.integer({ min: 1, max: 900 }), fc.nat(900), (all, p, days, more) => {
        const of = (ttl?: number) => kept(all, { ...policyOf(p), ...(ttl && { ttl: `${ttl}d` }) });
        expect(of(days + more)).toEqual(expect.arrayContaining(of(days)));
        expect(of()).toEqual(expect.arrayContaining(of(days + more)));
      }),
    );
  });

  it('changes nothing by the clock alone, but for a ttl and the end of locks', () => {
    fc.assert(
      fc.property(plain, policy, zone, fc.integer({ min: 0, max: 20 * 365 }), (all, p, tz, days) => {
        const later = new Date(NOW.getTime() + days * 24 * 3600 * 1000);
        expect(decideRetention(all, policyOf(p), tz, later)).toEqual(
          decideRetention(all, policyOf(p), tz, NOW),
        );
      }),
    );
  });

  it('removes nothing more when it has just removed', () => {
    fc.assert(
      fc.property(points, withTtl, zone, (all, p, tz) => {
        const names = kept(all, p, tz);
        const left = all.filter((q) => names.includes(q.backup));
        expect(kept(left, p, tz)).toEqual(names);
      }),
    );
  });

  it('does not depend on the order in which recovery points are listed', () => {
    const shuffled = points.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, withTtl, zone, ([all, other], p, tz) => {
        expect(decideRetention(other, p, tz, NOW)).toEqual(decideRetention(all, p, tz, NOW));
      }),
    );
  });

  it('decides every recovery point once and says why', () => {
    fc.assert(
      fc.property(points, withTtl, zone, (all, p, tz) => {
        const decisions = decideRetention(all, p, tz, NOW);
        expect(decisions.map((d) => d.backup).sort()).toEqual(all.map((q) => q.backup).sort());
        for (const d of decisions) expect(d.reasons.join('')).not.toBe('');
      }),
    );
  });

  it('lets no record that Holdfast did not sign push out one that it signed', () => {
    fc.assert(
      fc.property(plain, policy, zone, (all, p, tz) => {
        const signed = all.filter((q) => q.signed);
        expect(kept(all, policyOf(p), tz)).toEqual(expect.arrayContaining(kept(signed, policyOf(p), tz)));
      }),
    );
  });

  it('keeps keepLast of those that hold something, and without protection no more', () => {
    fc.assert(
      fc.property(plain, count, (all, n) => {
        const holding = all
          .filter((q) => q.phase === 'Completed' || q.phase === 'PartiallyFailed')
          .map((q): RecoveryPoint => ({ ...q, phase: 'Completed', signed: true, volumes: undefined }));
        expect(kept(holding, { keepLast: n })).toHaveLength(Math.min(n, holding.length));
      }),
    );
  });
});

/** A recovery point that nothing protects, named after its instant. */
const at = (instant: string, over: Partial<RecoveryPoint> = {}): RecoveryPoint => ({
  backup: instant,
  at: new Date(instant),
  phase: 'Completed',
  replicated: true,
  signed: true,
  tags: [],
  ...over,
});
const all = (...instants: string[]) => instants.map((i) => at(i));
const days = (from: string, number: number) =>
  Array.from({ length: number }, (_, i) =>
    at(new Date(Date.parse(from) + i * 24 * 3600 * 1000).toISOString()),
  );

describe('retention', () => {
  it('keeps the newest and removes the rest, newest first, with the reasons for each', () => {
    const three = [at('2026-01-01T00:00Z'), at('2026-01-03T00:00Z'), at('2026-01-02T00:00Z')];
    expect(decideRetention(three, { keepLast: 2 }, 'UTC', NOW)).toEqual([
      { backup: '2026-01-03T00:00Z', keep: true, reasons: ['keep-last 1 of 2', 'last good recovery point'] },
      { backup: '2026-01-02T00:00Z', keep: true, reasons: ['keep-last 2 of 2'] },
      { backup: '2026-01-01T00:00Z', keep: false, reasons: ['no rule keeps it'] },
    ]);
  });

  it('of two in an hour keeps the newer, and of hours without any takes no account', () => {
    expect(
      kept(all('2026-01-01T01:10Z', '2026-01-01T01:50Z', '2026-01-01T05:00Z', '2026-01-01T00:00Z'), {
        keepHourly: 2,
      }),
    ).toEqual(['2026-01-01T05:00Z', '2026-01-01T01:50Z']);
  });

  it('takes the hour that clocks in Berlin show twice for two hours', () => {
    // 01:30, then 02:30, 02:30 again, 03:30
    const night = all('2026-10-24T23:30Z', '2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z');
    expect(kept(night, { keepHourly: 3 }, 'Europe/Berlin')).toEqual([
      '2026-10-25T02:30Z',
      '2026-10-25T01:30Z',
      '2026-10-25T00:30Z',
    ]);
  });

  it('takes the day on which clocks in Berlin change for one, from its midnight to the next', () => {
    const spring = all('2026-03-28T22:59Z', '2026-03-28T23:00Z', '2026-03-29T21:59Z', '2026-03-29T22:00Z');
    expect(kept(spring, { keepDaily: 3 }, 'Europe/Berlin')).toEqual([
      '2026-03-29T22:00Z',
      '2026-03-29T21:59Z',
      '2026-03-28T22:59Z',
    ]);
  });

  it('counts days where the plan is: in Kiritimati a day begins fourteen hours earlier', () => {
    const two = all('2026-01-01T09:00Z', '2026-01-01T11:00Z', '2025-12-20T00:00Z');
    expect(kept(two, { keepDaily: 2 }, 'UTC')).toEqual(['2026-01-01T11:00Z', '2025-12-20T00:00Z']);
    expect(kept(two, { keepDaily: 2 }, 'Pacific/Kiritimati')).toEqual([
      '2026-01-01T11:00Z',
      '2026-01-01T09:00Z',
    ]);
  });

  it('takes the days around New Year for one ISO week, and for two years', () => {
    const turn = all('2025-12-29T00:00Z', '2025-12-31T00:00Z', '2026-01-04T00:00Z', '2026-01-05T00:00Z');
    expect(kept([at('2025-12-01T00:00Z'), ...turn], { keepWeekly: 2 })).toEqual([
      '2026-01-05T00:00Z',
      '2026-01-04T00:00Z',
    ]);
    expect(kept([at('2024-01-01T00:00Z'), ...turn], { keepYearly: 2 })).toEqual([
      '2026-01-05T00:00Z',
      '2025-12-31T00:00Z',
    ]);
  });

  it('keeps the oldest, too, while a count is not used up', () => {
    const young = days('2026-05-01T00:00:00Z', 3);
    const decided = decideRetention(young, { keepMonthly: 12 }, 'UTC', NOW);
    expect(decided.map((d) => d.reasons)).toEqual([
      ['keep-monthly 1 of 12', 'last good recovery point'],
      ['no rule keeps it'],
      ['keep-monthly 2 of 12 (the oldest)'],
    ]);
  });

  it('counts within from the newest, a month by the calendar', () => {
    const month = all('2026-03-31T00:00Z', '2026-03-01T00:00Z', '2026-02-28T01:00Z', '2026-02-28T00:00Z');
    expect(kept(month, { keepWithin: '1m' })).toEqual([
      '2026-03-31T00:00Z',
      '2026-03-01T00:00Z',
      '2026-02-28T01:00Z',
    ]);
  });

  it('keeps the newest of each day within a week, and all that are tagged', () => {
    const tagged = at('2026-01-01T00:00Z', { tags: ['before-upgrade', 'manual'] });
    const week = all('2026-05-20T10:00Z', '2026-05-20T02:00Z', '2026-05-19T02:00Z', '2026-05-12T02:00Z');
    const decided = decideRetention(
      [tagged, ...week],
      { keepWithinDaily: '7d', keepTags: [['before-upgrade']] },
      'UTC',
      NOW,
    );
    expect(decided.filter((d) => d.keep).map((d) => [d.backup, ...d.reasons])).toEqual([
      ['2026-05-20T10:00Z', 'keep-within-daily 7d', 'last good recovery point'],
      ['2026-05-19T02:00Z', 'keep-within-daily 7d'],
      ['2026-01-01T00:00Z', 'tags before-upgrade'],
    ]);
  });

  it('needs all tags of a list, of one list', () => {
    const keepTags = [['a', 'b'], ['c']];
    const [ab, a, c] = [
      at('2026-01-01T00:00Z', { tags: ['a', 'b'] }),
      at('2026-01-02T00:00Z', { tags: ['a'] }),
      at('2026-01-03T00:00Z', { tags: ['c'] }),
    ];
    expect(kept([ab, a, c], { keepTags })).toEqual([c.backup, ab.backup]);
  });

  it('removes what is older than its ttl although a rule wants it, and the last good one never', () => {
    const old = all('2026-01-01T00:00Z', '2026-01-02T00:00Z');
    expect(decideRetention(old, { keepLast: 5, ttl: '30d' }, 'UTC', NOW)).toEqual([
      { backup: '2026-01-02T00:00Z', keep: true, reasons: ['last good recovery point'] },
      { backup: '2026-01-01T00:00Z', keep: false, reasons: ['older than ttl 30d'] },
    ]);
  });

  it('does not let failed backups push good ones out, and removes them', () => {
    const four = [
      ...all('2026-01-01T00:00Z', '2026-01-02T00:00Z'),
      at('2026-01-03T00:00Z', { phase: 'Failed', replicated: false }),
    ];
    expect(kept(four, { keepLast: 2 })).toEqual(['2026-01-02T00:00Z', '2026-01-01T00:00Z']);
    expect(decideRetention(four, { keepLast: 2 }, 'UTC', NOW)[0]).toMatchObject({
      keep: false,
      reasons: ['failed: it contains no data'],
    });
  });

  it('does not let failed backups, which nobody signs, push out those that nobody signed either', () => {
    const unsigned = all('2026-01-01T00:00Z', '2026-01-02T00:00Z').map((p) => ({ ...p, signed: false }));
    const failed = at('2026-01-03T00:00Z', { phase: 'Failed', replicated: false, signed: false });
    expect(kept([...unsigned, failed], { keepLast: 2 })).toEqual(['2026-01-02T00:00Z', '2026-01-01T00:00Z']);
  });

  it('keeps the last good one behind any number of partial ones', () => {
    const partial = all('2026-01-02T00:00Z', '2026-01-03T00:00Z').map((p) => ({
      ...p,
      phase: 'PartiallyFailed' as const,
    }));
    expect(kept([at('2026-01-01T00:00Z'), ...partial], { keepLast: 1 })).toEqual([
      '2026-01-03T00:00Z',
      '2026-01-01T00:00Z',
    ]);
  });

  it('keeps a record that says failed where a proven recovery point was', () => {
    const forged = at('2026-01-01T00:00Z', { phase: 'Failed', signed: false });
    const [, decision] = decideRetention([at('2026-01-02T00:00Z'), forged], { keepLast: 1 }, 'UTC', NOW);
    expect(decision?.reasons).toEqual(['failed, but its replica is proven']);
  });

  it('says until when a recovery point is locked, and lets it go afterwards', () => {
    const lockedUntil = new Date('2026-06-10T00:00:00Z');
    const two = [at('2026-01-02T00:00Z'), at('2026-01-01T00:00Z', { lockedUntil })];
    const reasons = (now: Date) => decideRetention(two, { keepLast: 1 }, 'UTC', now)[1]?.reasons;
    expect(reasons(NOW)).toEqual(['locked until 2026-06-10T00:00:00.000Z']);
    expect(reasons(lockedUntil)).toEqual(['no rule keeps it']);
  });

  it.each([
    [{}],
    [{ ttl: '1y' }],
    [{ keepTags: [] }],
    [{ keepTags: [[]] }],
    [{ keepLast: 0 }],
    [{ keepLast: -1 }],
    [{ keepLast: Number.NaN }],
  ])('refuses the policy %j, which keeps nothing', (empty) => {
    expect(() => decideRetention(days('2026-01-01T00:00:00Z', 1), empty, 'UTC', NOW)).toThrow(
      expect.objectContaining({ name: 'RetentionEmpty' }),
    );
  });

  it('does not touch the list that it is given', () => {
    const frozen = Object.freeze(days('2026-01-01T00:00:00Z', 3));
    expect(() => decideRetention(frozen, { keepLast: 1 }, 'UTC', NOW)).not.toThrow();
  });
});
