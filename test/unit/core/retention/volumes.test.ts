import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Retention } from '../../../../functions/contract/settings.ts';
import { decideRetention, type RecoveryPoint } from '../../../../functions/core/retention/retention.ts';
import {
  lastOfVolumes,
  reasonsOf,
  type VolumeState,
  volumesOf,
} from '../../../../functions/core/retention/volumes.ts';
import { DATA, recordOf } from '../../../support/builders.ts';

const DB = 'volume shop/pgdata';
const WEB = 'volume shop/web';
const NOW = new Date('2026-06-01T00:00:00Z');

type States = Record<string, VolumeState>;
const dayOf = (day: number) => new Date(Date.UTC(2026, 0, day, 2));
const at = (
  day: number,
  phase: RecoveryPoint['phase'],
  states: States,
  over: Partial<RecoveryPoint> = {},
) => ({
  backup: `day-${String(day).padStart(2, '0')}`,
  at: dayOf(day),
  phase,
  replicated: true,
  signed: true,
  tags: [],
  volumes: new Map(Object.entries(states)),
  ...over,
});
const good = (day: number, states: States = { [DB]: 'good', [WEB]: 'good' }) => at(day, 'Completed', states);
const bad = (day: number, states: States = { [DB]: 'missing', [WEB]: 'good' }) =>
  at(day, 'PartiallyFailed', states);
const decide = (
  points: readonly RecoveryPoint[],
  policy: Retention & { retired?: boolean } = { keepLast: 3 },
) => decideRetention(points, policy, 'UTC', NOW);
const kept = (...args: Parameters<typeof decide>) =>
  decide(...args)
    .filter((d) => d.keep)
    .map((d) => Number(d.backup.slice(-2)))
    .sort((a, b) => a - b);
const days = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const reasons = (day: number, ...args: Parameters<typeof decide>) =>
  decide(...args).find((d) => d.backup.endsWith(`-${String(day).padStart(2, '0')}`))?.reasons;

describe('the last good snapshot of a volume', () => {
  const week = [bad(1, { [DB]: 'good', [WEB]: 'missing' }), ...days(2, 8).map((day) => bad(day))];

  it('stays behind any number of backups in which that volume failed, and says so', () => {
    expect(kept(week)).toEqual([1, 6, 7, 8]);
    expect(reasons(1, week)).toEqual([`last good of ${DB}`]);
    expect(reasons(8, week)).toEqual(['keep-last 1 of 3', `last good of ${WEB}`]);
  });

  it('stays in spite of a ttl', () => {
    expect(kept(week, { keepLast: 9, ttl: '1d' })).toEqual([1, 8]);
  });

  it('is not taken from a record that Holdfast did not sign', () => {
    const forged = at(9, 'Completed', { [DB]: 'good', [WEB]: 'good' }, { signed: false });
    expect(kept([...week, forged])).toEqual(expect.arrayContaining([1, 8]));
  });

  it('is that of a PartiallyFailed backup as well as of a Completed one', () => {
    const points = [
      good(1),
      bad(2, { [DB]: 'good', [WEB]: 'missing' }),
      ...days(3, 9).map((day) => bad(day)),
    ];
    expect(kept(points)).toEqual([1, 2, 7, 8, 9]);
  });

  it('stays beside a newer one that is not complete', () => {
    const points = [good(1), bad(2, { [DB]: 'partial' }), ...days(3, 9).map((day) => bad(day))];
    expect(kept(points, { keepLast: 1, ttl: '1d' })).toEqual([1, 2, 9]);
    expect(reasons(2, points, { keepLast: 1 })).toEqual([`last incomplete of ${DB}`]);
  });

  it('makes an older incomplete one needless', () => {
    const points = [
      bad(1, { [DB]: 'partial' }),
      bad(2, { [DB]: 'good' }),
      ...days(3, 9).map((day) => bad(day)),
    ];
    expect(kept(points)).toEqual([2, 7, 8, 9]);
  });

  it('is that of at most a hundred recovery points of a namespace, the newest: its users choose the names', () => {
    const flood = days(1, 150).map((day) => bad(day, { [`dump evil/db:${day}`]: 'good' }));
    const points = [bad(0, { [DB]: 'good' }), ...flood];
    const decided = decide(points, { keepLast: 1 }).filter((d) => d.keep);
    expect(decided).toHaveLength(101);
    expect(reasons(0, points, { keepLast: 1 })).toEqual([`last good of ${DB}`]);
  });

  it('names three volumes of one recovery point, and counts the others', () => {
    const many = Object.fromEntries(days(1, 50).map((n) => [`volume shop/v${n}`, 'good' as const]));
    const points = [bad(1, many), ...days(2, 9).map((day) => bad(day, { 'volume shop/v1': 'missing' }))];
    expect(reasons(1, points)).toEqual([
      'last good of volume shop/v1',
      'last good of volume shop/v2',
      'last good of volume shop/v3',
      'last good of 47 more volumes',
    ]);
    expect(reasonsOf({ good: [], partial: ['a', 'b'] })).toEqual([
      'last incomplete of a',
      'last incomplete of b',
    ]);
  });
});

describe('a volume that is left out', () => {
  const before = [good(1), ...days(2, 5).map((day) => bad(day))];

  it.each([
    ['by a rule or an annotation', { [DB]: 'excluded', [WEB]: 'good' }],
    ['because it is not in the cluster, or not in the plan, any more', { [WEB]: 'good' }],
  ] as const)('%s goes as soon as all that the rules keep says so', (_, states) => {
    const still = [...before, good(6, states), good(7, states)];
    expect(kept(still)).toEqual([1, 5, 6, 7]);
    expect(kept([...still, good(8, states)])).toEqual([6, 7, 8]);
  });

  it('stays while the newest backups only fail, whatever they lack', () => {
    const points = [good(1), ...days(2, 9).map((day) => bad(day, { [WEB]: 'missing' }))];
    expect(kept(points)).toEqual([1, 7, 8, 9]);
  });

  it('stays while a failed backup that a rule keeps does not exclude it: it may lack anything', () => {
    const since = [good(2, { [WEB]: 'good' }), ...days(3, 5).map((day) => bad(day, { [WEB]: 'missing' }))];
    expect(kept([good(1), ...since])).toEqual([1, 2, 3, 4, 5]);
    const excluding = [
      good(2, { [WEB]: 'good' }),
      ...days(3, 5).map((day) => bad(day, { [DB]: 'excluded', [WEB]: 'missing' })),
    ];
    expect(kept([good(1), ...excluding])).toEqual([2, 3, 4, 5]);
  });

  it('stays while the plan finds the volume and does not include it: its pods may be scaled down', () => {
    const points = [good(1), ...days(2, 9).map((day) => good(day, { [DB]: 'missing', [WEB]: 'good' }))];
    expect(kept(points)).toEqual([1, 7, 8, 9]);
  });

  it('stays when only a forged record leaves it out', () => {
    const forged = days(6, 9).map((day) => at(day, 'Completed', { [WEB]: 'good' }, { signed: false }));
    expect(kept([...before, ...forged])).toEqual(expect.arrayContaining([1, 3, 4, 5]));
  });
});

describe('the last recovery points of a retired plan', () => {
  const points = [good(1), bad(2), at(3, 'PartiallyFailed', { [DB]: 'good' }, { replicated: false })];

  it('go when they are older than its ttl, even the last of all', () => {
    expect(kept(points, { keepLast: 1, ttl: '30d', retired: true })).toEqual([]);
    expect(kept(points, { keepLast: 1, ttl: '30d' })).toEqual([1, 2, 3]);
  });

  it('are protected as those of any plan until then, and without a ttl for good', () => {
    expect(kept(points, { keepLast: 1, ttl: '1y', retired: true })).toEqual([1, 2, 3]);
    expect(kept(points, { keepLast: 1, retired: true })).toEqual([1, 2, 3]);
  });

  it('stay while they are locked, held, or without a readable record', () => {
    const lockedUntil = new Date('2026-07-01T00:00:00Z');
    const some = [
      at(1, 'Completed', {}, { lockedUntil }),
      at(2, 'Completed', {}, { held: 'the primary keeps it' }),
      at(3, 'Unknown', {}),
    ];
    expect(kept(some, { keepLast: 1, ttl: '30d', retired: true })).toEqual([1, 2, 3]);
  });
});

describe('over any history', () => {
  const state = fc.constantFrom<VolumeState>('good', 'good', 'partial', 'missing', 'missing');
  const states = fc.array(fc.tuple(fc.constantFrom(DB, WEB, 'dump shop/db:a'), state), { maxLength: 3 });
  const point = fc.record({
    phase: fc.constantFrom(
      'Completed',
      'PartiallyFailed',
      'PartiallyFailed',
      'Failed',
    ) satisfies fc.Arbitrary<RecoveryPoint['phase']>,
    signed: fc.boolean(),
    states,
  });
  const history = fc
    .array(point, { maxLength: 25 })
    .map((all) =>
      all.map(({ states: of, phase, signed }, i) => at(i + 1, phase, Object.fromEntries(of), { signed })),
    );
  const policy = fc.record({
    keepLast: fc.integer({ min: 1, max: 4 }),
    ttl: fc.option(fc.constant('100d'), { nil: undefined }),
  });
  const has = (p: RecoveryPoint, volume: string, ...wanted: VolumeState[]) =>
    p.signed &&
    (p.phase === 'Completed' || p.phase === 'PartiallyFailed') &&
    wanted.some((s) => p.volumes?.get(volume) === s);

  it('the newest signed good snapshot of a volume stays, and a newer incomplete one, unless the newest Completed leaves it out', () => {
    fc.assert(
      fc.property(history, policy, fc.constantFrom(DB, WEB), (all, by, volume) => {
        const newest = all.findLast((p) => p.signed && p.phase === 'Completed');
        const last = all.findLast((p) => has(p, volume, 'good'));
        const any = all.findLast((p) => has(p, volume, 'good', 'partial'));
        fc.pre(last !== undefined && any !== undefined);
        fc.pre(!(newest && newest.at > any.at && !newest.volumes?.has(volume)));
        const names = decide(all, by)
          .filter((d) => d.keep)
          .map((d) => d.backup);
        expect(names).toEqual(expect.arrayContaining([last.backup, any.backup]));
      }),
    );
  });

  it('nothing is kept for a volume that every record with data leaves out since', () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 4 }), (all, keepLast) => {
        const later = days(30, 30 + keepLast - 1).map((day) => good(day, { [WEB]: 'good' }));
        const without = [...all, ...later].map((p) =>
          'volumes' in p && p.volumes
            ? { ...p, volumes: new Map([...p.volumes].filter(([name]) => name === WEB)) }
            : p,
        );
        const names = (points: readonly RecoveryPoint[]) =>
          decide(points, { keepLast }).map((d) => [d.backup, d.keep]);
        expect(names([...all, ...later])).toEqual(names(without));
      }),
    );
  });

  it('counts each volume once as good and once as incomplete', () => {
    fc.assert(
      fc.property(history, (all) => {
        const signed = all.filter((p) => p.signed).toReversed();
        const found = [...lastOfVolumes(signed, new Set()).values()];
        for (const list of [found.flatMap((l) => l.good), found.flatMap((l) => l.partial)])
          expect(new Set(list).size).toBe(list.length);
      }),
    );
  });
});

describe('what a record says about its volumes', () => {
  it('has each claim, pod volume, dump and part of the control plane by its name', () => {
    const { snapshot: _, ...failed } = DATA;
    const record = recordOf('daily-1', {
      volumes: [
        DATA,
        { ...DATA, pvc: 'logs', result: 'partial' },
        { ...failed, pvc: 'lost', result: 'failed' },
        {
          id: 'a',
          namespace: 'shop',
          podVolume: { pod: 'web-0', volume: 'tmp' },
          result: 'protected',
          snapshot: 's',
        },
        {
          id: 'b',
          namespace: 'shop',
          dump: { workload: 'db', file: 'd.sql' },
          result: 'protected',
          snapshot: 's',
        },
      ],
      controlPlane: [
        { id: 'etcd', result: 'protected', snapshot: 's' },
        { id: 'etcd-status', result: 'protected' },
      ],
      excluded: [{ volume: 'shop/cache', reason: 'rule cache' }],
      unprotected: [{ volume: 'shop/idle', reason: 'no pod names it' }],
    });
    expect(Object.fromEntries(volumesOf(record))).toEqual({
      'volume shop/data': 'good',
      'volume shop/logs': 'partial',
      'volume shop/lost': 'missing',
      'volume shop/web-0:tmp': 'good',
      'dump shop/db:d.sql': 'good',
      'control plane etcd': 'good',
      'control plane etcd-status': 'missing',
      'volume shop/cache': 'excluded',
      'volume shop/idle': 'missing',
    });
  });
});
