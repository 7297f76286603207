import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agesOf, isEnough, type SeenBackup, type SeenPlan } from '../../../../functions/core/backup/ages.ts';
import type { BackupRecord } from '../../../../functions/core/backup/record.ts';
import type { VolumeOutcome } from '../../../../functions/core/volumes/work.ts';
import { recordOf } from '../../../support/builders.ts';

const now = new Date('2026-02-01T00:00:00Z');
const HOUR = 3600;
const hoursAgo = (hours: number): Date => new Date(now.getTime() - hours * HOUR * 1000);
const nameAt = (at: Date): string => `daily-${at.toISOString().replace(/[-:T]/g, '').slice(0, 14)}`;

const volume = (pvc: string, result: VolumeOutcome['result']): VolumeOutcome => ({
  id: `shop.${pvc}`,
  namespace: 'shop',
  pvc,
  result,
  ...(result === 'protected' && { snapshot: 'a'.repeat(64) }),
});

/** A signed recovery point of some hours ago, with its volumes: `a` is good, `!a` failed. */
function point(hours: number, phase: BackupRecord['phase'] = 'Completed', volumes = ''): SeenBackup {
  const at = hoursAgo(hours);
  const outcomes = volumes
    .split(' ')
    .filter(Boolean)
    .map((v) => volume(v.replace('!', ''), v.startsWith('!') ? 'failed' : 'protected'));
  const over = { phase, startedAt: at.toISOString(), volumes: outcomes };
  return { kind: 'signed', backup: nameAt(at), record: recordOf(nameAt(at), over) };
}
const other = (hours: number, kind: 'nothing' | 'doubtful'): SeenBackup => ({
  kind,
  backup: nameAt(hoursAgo(hours)),
});

const ages = (seen: SeenBackup[], { all = true, scheduledSince = hoursAgo(100) }: Partial<SeenPlan> = {}) => {
  const found = agesOf({ seen, all, scheduledSince, now });
  return {
    completed: found.recoveryPointSeconds / HOUR,
    partial: found.partiallyFailedSeconds / HOUR,
    volume: found.volumeSeconds === undefined ? undefined : found.volumeSeconds / HOUR,
    behind: found.behind.map((b) => b.volume),
  };
};

describe('the age of the newest Completed recovery point', () => {
  it('is counted from when it began', () => {
    expect(ages([point(3), point(27)]).completed).toBe(3);
  });

  it('is not lowered by PartiallyFailed ones, which have an age of their own', () => {
    const week = [1, 25, 49, 73, 97, 121, 145].map((hours) => point(hours, 'PartiallyFailed'));
    expect(ages([...week, point(169)])).toMatchObject({ completed: 169, partial: 168 });
  });

  it('is not lowered by what is unsigned, forged, or not there', () => {
    expect(ages([other(1, 'doubtful'), other(2, 'nothing'), point(30)]).completed).toBe(30);
  });

  it('is not lowered by a record of the future, whose time is no time, or that says Failed', () => {
    const future = point(-48);
    const odd = { ...point(1), record: recordOf('daily-1', { startedAt: 'soon' }) } as SeenBackup;
    expect(ages([future, odd, point(2, 'Failed'), point(30)]).completed).toBe(30);
  });

  it('counts from the creation of the schedule while there is none', () => {
    expect(ages([])).toEqual({ completed: 100, partial: 0, volume: undefined, behind: [] });
  });

  it('counts from an older recovery point if the schedule was made anew', () => {
    const made = { scheduledSince: hoursAgo(1) };
    expect(ages([point(5, 'PartiallyFailed'), point(150, 'PartiallyFailed')], made).completed).toBe(150);
  });

  it('is that of everything since the beginning without a schedule', () => {
    const seen = agesOf({ seen: [], all: true, scheduledSince: undefined, now });
    expect(seen.recoveryPointSeconds).toBe(now.getTime() / 1000);
  });
});

describe('how long recovery points were PartiallyFailed only', () => {
  it('is zero if the newest is Completed, however many failed before', () => {
    expect(ages([point(1), point(25, 'PartiallyFailed'), point(49)]).partial).toBe(0);
  });
  it('spans from the last Completed one to the newest', () => {
    expect(ages([point(1, 'PartiallyFailed'), point(25, 'PartiallyFailed'), point(49)]).partial).toBe(48);
  });
});

describe('the age of the oldest good snapshot of a volume', () => {
  it('is of volumes that the newest recovery point has', () => {
    const seen = [
      point(1, 'PartiallyFailed', 'a !b'),
      point(25, 'PartiallyFailed', 'a !b c'),
      point(49, 'Completed', 'a b c'),
    ];
    expect(ages(seen)).toMatchObject({ volume: 49, behind: ['shop/b'] });
  });

  it('is that of the newest recovery point if it has them all', () => {
    expect(ages([point(2, 'Completed', 'a b'), point(26, 'PartiallyFailed', '!a b')])).toMatchObject({
      volume: 2,
      behind: [],
    });
  });

  it('counts from the first attempt for a volume that never had one', () => {
    const seen = [
      point(1, 'PartiallyFailed', 'a !new'),
      point(25, 'PartiallyFailed', 'a !new'),
      point(49, 'Completed', 'a'),
    ];
    expect(ages(seen)).toMatchObject({ volume: 25, behind: ['shop/new'] });
  });

  it('does not forget an attempt because a recovery point between says nothing of the volume', () => {
    const seen = [
      point(1, 'PartiallyFailed', '!b'),
      point(25, 'PartiallyFailed', 'a'),
      point(49, 'PartiallyFailed', '!b'),
    ];
    expect(ages(seen).volume).toBe(49);
  });

  it('is not hidden by a dump with the name of the volume', () => {
    const seen = [point(1, 'PartiallyFailed'), point(25)];
    const cache = { id: 'shop.web_cache', namespace: 'shop', podVolume: { pod: 'web', volume: 'cache' } };
    const dump = { id: 'shop._web', namespace: 'shop', dump: { workload: 'web', file: 'cache' } };
    const good = { result: 'protected' as const, snapshot: 'b'.repeat(64) };
    const [newest, older] = seen.map((s) => (s as { record: BackupRecord }).record);
    newest?.volumes.push({ ...cache, result: 'failed' }, { ...dump, ...good });
    older?.volumes.push({ ...cache, ...good }, { ...dump, ...good });
    expect(ages(seen)).toMatchObject({ volume: 25, behind: ['shop/web:cache'] });
  });

  it('does not believe a snapshot without an id', () => {
    const seen = [point(1, 'PartiallyFailed', 'a'), point(25, 'Completed', 'a')];
    delete ((seen[0] as { record: BackupRecord }).record.volumes[0] as { snapshot?: string }).snapshot;
    expect(ages(seen).volume).toBe(25);
  });

  it('is as long as there was a schedule, if unproven records may hide the good one', () => {
    const seen = [point(1, 'PartiallyFailed', '!a'), other(2, 'doubtful')];
    expect(ages(seen, { all: false }).volume).toBe(100);
    expect(ages(seen.slice(0, 1), { all: false }).volume).toBe(1);
  });

  it('covers etcd and the files of control-plane nodes', () => {
    const seen = [point(1, 'PartiallyFailed'), point(25)];
    const of = (result: 'protected' | 'failed') => [
      { id: 'etcd-status', result: 'protected' as const },
      { id: 'etcd', result, ...(result === 'protected' && { snapshot: 'b'.repeat(64) }) },
    ];
    (seen[0] as { record: BackupRecord }).record.controlPlane = of('failed');
    (seen[1] as { record: BackupRecord }).record.controlPlane = of('protected');
    expect(ages(seen)).toMatchObject({ volume: 25, behind: ['_control-plane/etcd'] });
  });
});

describe('reading newest first ends', () => {
  it('at the newest, if it is Completed and has all its volumes', () => {
    expect(isEnough([point(1, 'Completed', 'a')], now)).toBe(true);
  });
  it('not before a Completed one, nor before a snapshot of each volume', () => {
    expect(isEnough([point(1, 'PartiallyFailed', 'a')], now)).toBe(false);
    const two = [point(1, 'PartiallyFailed', '!a b'), point(25, 'Completed', 'b')];
    expect(isEnough(two, now)).toBe(false);
    expect(isEnough([...two, point(49, 'Completed', 'a')], now)).toBe(true);
  });
  it('not at a name of the future, behind which newer ones are', () => {
    const early = { ...point(50), backup: nameAt(hoursAgo(-1000)) } as SeenBackup;
    expect(isEnough([early], now)).toBe(false);
    expect(ages([early, point(2)]).completed).toBe(2);
  });
});

const anyBackup = fc.record({
  hours: fc.integer({ min: -200, max: 99 }),
  what: fc.constantFrom('Completed', 'PartiallyFailed', 'Failed', 'nothing', 'doubtful'),
  volumes: fc.constantFrom('', 'a', '!a', 'a !b', '!a b', 'a b'),
});
const seenOf = ({ hours, what, volumes }: { hours: number; what: string; volumes: string }): SeenBackup =>
  what === 'nothing' || what === 'doubtful' ? other(hours, what) : point(hours, what as 'Completed', volumes);

describe('whatever the vault holds', () => {
  it('what is unproven, failed or of the future makes no age smaller', () => {
    const isProof = ({ kind, ...s }: SeenBackup) =>
      kind === 'signed' &&
      (s as { record: BackupRecord }).record.phase !== 'Failed' &&
      Date.parse((s as { record: BackupRecord }).record.startedAt) <= now.getTime();
    fc.assert(
      fc.property(fc.array(anyBackup, { maxLength: 12 }), (list) => {
        const seen = list.map(seenOf);
        const proofs = ages(seen.filter(isProof));
        const found = ages(seen);
        expect(found.completed).toBeGreaterThanOrEqual(proofs.completed);
        expect(found.volume ?? 0).toBeGreaterThanOrEqual(proofs.volume ?? 0);
      }),
    );
  });

  it('older recovery points that are not read make no age smaller than it is', () => {
    fc.assert(
      fc.property(fc.array(anyBackup, { maxLength: 12 }), fc.nat(12), (list, n) => {
        const seen = list.map(seenOf);
        const part = seen.slice(0, n);
        if (isEnough(part, now)) return;
        expect(ages(part, { all: false }).completed).toBeGreaterThanOrEqual(ages(seen).completed);
      }),
    );
  });

  it('ages are whole numbers that grow with the clock alone', () => {
    fc.assert(
      fc.property(fc.array(anyBackup, { maxLength: 8 }), fc.nat(10 ** 6), (list, later) => {
        const plan = {
          seen: list.filter((b) => b.hours > 1).map(seenOf),
          all: true,
          scheduledSince: hoursAgo(100),
        };
        const before = agesOf({ ...plan, now });
        const after = agesOf({ ...plan, now: new Date(now.getTime() + later * 1000) });
        expect(after.recoveryPointSeconds - before.recoveryPointSeconds).toBe(later);
        expect(after.partiallyFailedSeconds).toBe(before.partiallyFailedSeconds);
      }),
    );
  });
});
