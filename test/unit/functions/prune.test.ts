import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { COPIES, type CopyName } from '../../../functions/contract/copies.ts';
import type { PruneRef } from '../../../functions/contract/states.ts';
import { backupName, pruneName } from '../../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';
import { PrunePlan, removedFrom } from '../../../functions/core/retention/prune.ts';
import type { Holder } from '../../../functions/core/vault/lease.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { PrunePolicy } from '../../../functions/prune/prune-backups/decide.ts';
import { type PruneRun, pruneBackups } from '../../../functions/prune/prune-backups/prune.ts';
import { takeLease } from '../../../functions/runtime/leases.ts';
import { putSignedRecord } from '../../../functions/runtime/signed-records.ts';
import { DATA, recordOf, workOf } from '../../support/builders.ts';
import { keyPair } from '../../support/key-pair.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import { pruneVault } from '../../support/prunes.ts';
import { resticId } from '../../support/restic-id.ts';

const keys = vaultKeys('paris');
const NOW = new Date('2026-02-01T02:00:00Z');
const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const key = keyPair();
const POLICY: PrunePolicy = {
  retention: { keepLast: 2 },
  replicaRetention: { keepLast: 2 },
  timeZone: 'UTC',
  share: 100,
  orphanGraceDays: 7,
  retired: new Map(),
  plans: ['daily', 'weekly', 'hourly'],
};

let copies: Record<CopyName, MemoryVault>;
beforeEach(() => {
  copies = { primary: new MemoryVault('primary'), replica: new MemoryVault('replica') };
});

const nameOf = (day: number, plan = 'daily') => backupName(plan, new Date(Date.UTC(2026, 0, day)));
const put = (vault: MemoryVault, at: string, value: unknown = {}, modified = LONG_AGO) =>
  vault.objects.set(at, { body: encode(value), metadata: {}, modified });

/** Everything of a backup but its record. */
function putObjects(vault: MemoryVault, backup: string, modified = LONG_AGO): void {
  for (const at of [keys.velero.archive(backup), keys.velero.backup(backup), keys.records.resources(backup)])
    put(vault, at, {}, modified);
  put(vault, keys.records.work(backup), openedWork(backup), modified);
}
const openedWork = (backup: string) =>
  workOf({
    backup,
    startedAt: '2026-01-01T00:00:00Z',
    volumes: [{ id: 'shop.data', namespace: 'shop', pvc: 'data', strategy: 'mount' }],
  });

const pointOf = (backup: string, over: Partial<BackupRecord> = {}) =>
  recordOf(backup, {
    startedAt: '2026-01-31T00:00:00Z',
    completedAt: '2026-01-31T00:01:00Z',
    volumes: [{ ...DATA, snapshot: resticId(`snapshot-${backup}`) }],
    ...over,
  });

/** A proven recovery point in some copies. */
async function putPoint(day: number, over: Partial<BackupRecord> = {}, where: readonly CopyName[] = COPIES) {
  const backup = nameOf(day);
  for (const copy of where) {
    putObjects(copies[copy], backup);
    await putSignedRecord(copies[copy], keys.records.record(backup), pointOf(backup, over), key);
    put(copies[copy], keys.records.replica(backup));
  }
}
const putDays = async (...days: number[]) => {
  for (const day of days) await putPoint(day);
};

const takenByAnother = (key: string, work: string) => {
  const leases = { vault: copies.primary, now: NOW, isGone: async () => false };
  return takeLease(leases, key, { work, execution: 'arn' });
};

const runAt = (startedAt: Date, input: Partial<PruneRun['input']> = {}): PruneRun => {
  const prune = pruneName(startedAt, 'arn');
  return {
    input: { plan: 'daily', ...input },
    prune,
    execution: 'arn',
    now: startedAt,
    isGone: async () => true,
  };
};
const prune = (
  input: Partial<PruneRun['input']> = {},
  policy: Partial<PrunePolicy> = {},
  at = NOW,
): Promise<PruneRef> => pruneBackups(pruneVault(copies, key), runAt(at, input), { ...POLICY, ...policy });
const later = (hours: number) => new Date(NOW.getTime() + hours * 3600 * 1000);

/** Days of which a copy has a record; and those of which it has anything at all. */
const daysWith = (copy: CopyName, test: (key: string) => boolean) =>
  [
    ...new Set(
      [...copies[copy].objects.keys()].filter(test).flatMap((at) => /daily-202601(\d\d)/.exec(at)?.[1] ?? []),
    ),
  ]
    .map(Number)
    .sort((a, b) => a - b);
const records = (copy: CopyName) => daysWith(copy, (at) => at.endsWith('/record.json'));
const anything = (copy: CopyName) => daysWith(copy, (at) => !at.includes('/_prune/'));
const document = (at: string) => JSON.parse(copies.primary.objects.get(at)?.body.toString() ?? 'null');
const planOf = (at = NOW) => PrunePlan.parse(document(keys.records.prune.plan(pruneName(at, 'arn'))));

describe('a prune run', () => {
  it('removes all of what no rule keeps from both copies, and names the snapshots to forget', async () => {
    await putDays(1, 2, 3);
    expect(await prune()).toMatchObject({
      outcome: 'pruned',
      removed: 1,
      kept: 2,
      removedFromReplica: 1,
      keptInReplica: 2,
      forget: 1,
    });
    expect([anything('primary'), anything('replica')]).toEqual([
      [2, 3],
      [2, 3],
    ]);
    const forget = [{ backup: nameOf(1), namespace: 'shop', snapshots: [resticId(`snapshot-${nameOf(1)}`)] }];
    expect(planOf()).toMatchObject({ primary: { forget }, replica: { forget } });
  });

  it('leaves nothing behind and no lease when there is nothing to do', async () => {
    await putDays(2, 3);
    const before = [...copies.primary.objects.keys()];
    expect(await prune()).toMatchObject({ outcome: 'pruned', removed: 0, kept: 2, forget: 0 });
    expect([...copies.primary.objects.keys()]).toEqual(before);
  });

  it('keeps in the replica what its own policy keeps longer', async () => {
    await putDays(1, 2, 3, 4);
    await prune({}, { replicaRetention: { keepLast: 3 } });
    expect([anything('primary'), anything('replica')]).toEqual([
      [3, 4],
      [2, 3, 4],
    ]);
    expect(planOf().replica.forget.map((f) => f.backup)).toEqual([nameOf(1)]);
  });

  it('never takes from the replica what the primary keeps, whatever the replica’s policy says', async () => {
    await putDays(1, 2, 3);
    await prune({}, { replicaRetention: { keepLast: 1, ttl: '1d' }, retention: { keepLast: 3 } });
    expect([anything('primary'), anything('replica')]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });

  it('keeps what is not proven, is locked in either copy, or whose record cannot be read', async () => {
    await putDays(1, 2, 3, 4, 5);
    copies.primary.objects.delete(keys.records.replica(nameOf(1)));
    put(copies.replica, keys.records.lock(nameOf(2)), { mode: 'COMPLIANCE', until: later(1).toISOString() });
    put(copies.primary, keys.records.record(nameOf(3)), 'damaged');
    await prune({}, { retention: { keepLast: 1 }, replicaRetention: { keepLast: 1 } });
    expect([records('primary'), records('replica')]).toEqual([
      [1, 2, 3, 5],
      [1, 2, 3, 5],
    ]);
  });

  it('lets no forged record push out a signed one, and forgets no snapshot that a forged one names', async () => {
    await putDays(1, 2);
    for (const day of [3, 4, 5]) {
      await putPoint(day, { volumes: pointOf(nameOf(1)).volumes });
      const at = keys.records.record(nameOf(day));
      const { body } = copies.primary.objects.get(at) as { body: Buffer };
      put(copies.primary, at, { ...JSON.parse(body.toString()), items: 7 });
    }
    await prune({}, { retention: { keepLast: 2 }, replicaRetention: { keepLast: 9 } });
    expect(records('primary')).toEqual([1, 2, 4, 5]);
    expect(planOf()).toMatchObject({ primary: { forget: [] } });
  });

  it('takes a signed record under the name of another backup for one that is not signed', async () => {
    await putDays(1, 2);
    const signed = copies.primary.objects.get(keys.records.record(nameOf(1))) as {
      body: Buffer;
      metadata: Record<string, string>;
    };
    for (const day of [3, 4, 5]) {
      await putPoint(day);
      copies.primary.objects.set(keys.records.record(nameOf(day)), signed);
    }
    await prune({}, { replicaRetention: { keepLast: 9 } });
    expect(records('primary')).toEqual([1, 2, 4, 5]);
  });

  it('removes a failed backup', async () => {
    await putDays(2, 3);
    putObjects(copies.primary, nameOf(4));
    put(copies.primary, keys.records.record(nameOf(4)), pointOf(nameOf(4), { phase: 'Failed', volumes: [] }));
    await prune();
    expect(anything('primary')).toEqual([2, 3]);
  });

  it('counts a backup of a future point in time by its start', async () => {
    await putDays(1, 2, 3);
    const future = backupName('daily', new Date('2036-01-01T00:00:00Z'));
    for (const vault of [copies.primary, copies.replica]) {
      putObjects(vault, future);
      await putSignedRecord(
        vault,
        keys.records.record(future),
        pointOf(future, { startedAt: '2026-01-10T00:00:00Z' }),
        key,
      );
      put(vault, keys.records.replica(future));
    }
    await prune({}, { retention: { keepWithin: '9d' }, replicaRetention: { keepWithin: '9d' } });
    expect(records('primary')).toEqual([2, 3]);
  });

  it('writes the report alone in a dry run', async () => {
    await putDays(1, 2, 3);
    const before = [...copies.primary.objects.keys()].sort();
    expect(await prune({ dryRun: true })).toMatchObject({
      outcome: 'planned',
      removed: 1,
      kept: 2,
      forget: 0,
    });
    const report = keys.records.prune.report(pruneName(NOW, 'arn'));
    expect([...copies.primary.objects.keys()].filter((at) => at !== report).sort()).toEqual(before);
    expect(document(report).primary.decisions.at(-1)).toEqual({
      backup: nameOf(1),
      keep: false,
      reasons: ['no rule keeps it'],
    });
    expect(anything('replica')).toEqual([1, 2, 3]);
  });

  it('waits for nobody in a dry run', async () => {
    await putDays(1, 2, 3);
    await takenByAnother(keys.leases.prune, 'weekly-1');
    const run = { ...runAt(NOW, { dryRun: true }), isGone: async () => false };
    expect(await pruneBackups(pruneVault(copies, key), run, POLICY)).toMatchObject({
      outcome: 'planned',
      removed: 1,
    });
  });
});

describe('a run that would remove more than its share', () => {
  it('removes nothing, says how much and how to allow it, and leaves a report', async () => {
    await putDays(1, 2, 3, 4);
    await expect(
      prune({}, { retention: { keepLast: 1 }, replicaRetention: { keepLast: 4 }, share: 50 }),
    ).rejects.toThrow(
      expect.objectContaining({
        name: 'PruneRefused',
        message: expect.stringMatching(
          /would remove 3 of 4 recovery points of the primary, more than 50 %.*--allow-share 100/,
        ),
      }),
    );
    expect([anything('primary'), anything('replica')]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
    expect(document(keys.records.prune.report(pruneName(NOW, 'arn')))).toMatchObject({
      refused: [{ copy: 'primary', removes: 3, of: 4 }],
    });
  });

  it('may remove one, whatever the share', async () => {
    await putDays(1, 2);
    expect(await prune({}, { retention: { keepLast: 1 }, share: 1 })).toMatchObject({ removed: 1 });
  });

  it('does not count failed backups, which hold nothing', async () => {
    await putDays(1);
    for (const day of [2, 3, 4])
      put(
        copies.primary,
        keys.records.record(nameOf(day)),
        pointOf(nameOf(day), { phase: 'Failed', volumes: [] }),
      );
    expect(await prune({}, { share: 1 })).toMatchObject({ removed: 3, kept: 1 });
  });
});

describe('objects of no record', () => {
  it('are removed from both copies when they are older than the grace, whichever plan’s they are', async () => {
    await putDays(20, 21);
    for (const vault of [copies.primary, copies.replica]) putObjects(vault, nameOf(1, 'weekly'));
    expect(await prune()).toMatchObject({ orphans: 1, removed: 0, forget: 0 });
    for (const vault of [copies.primary, copies.replica])
      expect([...vault.objects.keys()].filter((at) => at.includes('weekly'))).toEqual([]);
  });

  it.each([
    ['of a backup that is named after an instant within the grace', 30, LONG_AGO],
    ['that were written within the grace, whatever instant they are named after', 1, later(-24)],
  ])('stay %s', async (_, day, modified) => {
    await putDays(20, 21);
    putObjects(copies.primary, nameOf(day), modified);
    await prune();
    expect(anything('primary')).toContain(day);
    await prune({ dryRun: true });
    const { decisions } = document(keys.records.prune.report(pruneName(NOW, 'arn'))).primary;
    expect(decisions).toContainEqual({ backup: nameOf(day), keep: true, reasons: ['no record yet'] });
  });

  it('stay without evidence that Holdfast created them: Velero names its backups alike', async () => {
    await putDays(20, 21);
    put(copies.primary, keys.velero.archive(nameOf(1)));
    await prune({ dryRun: true });
    expect(document(keys.records.prune.report(pruneName(NOW, 'arn'))).primary.orphans).toEqual([
      { backup: nameOf(1), objects: 1, remove: false, reason: 'no evidence that Holdfast created it' },
    ]);
  });

  it('are all there is to do where no repository is concerned: the run is done', async () => {
    await putDays(20, 21);
    put(copies.primary, keys.records.resources(nameOf(1)));
    expect(await prune()).toMatchObject({ orphans: 1, forget: 0 });
    expect(document(keys.records.prune.done(pruneName(NOW, 'arn')))).not.toBeNull();
  });

  it('stay while one of their copies is locked, whichever plan’s they are', async () => {
    await putDays(20, 21);
    putObjects(copies.primary, nameOf(1, 'weekly'));
    put(copies.primary, keys.records.lock(nameOf(1, 'weekly')), {
      mode: 'GOVERNANCE',
      until: later(1).toISOString(),
    });
    expect(await prune()).toMatchObject({ orphans: 0 });
    expect(await prune({}, {}, later(1))).toMatchObject({ orphans: 1 });
  });

  it('stay in one copy while the other has the record', async () => {
    await putDays(20, 21);
    await putPoint(1, {}, ['primary']);
    putObjects(copies.replica, nameOf(1));
    copies.primary.objects.delete(keys.records.replica(nameOf(1)));
    expect(await prune()).toMatchObject({ orphans: 0, removed: 0 });
    expect(anything('replica')).toEqual([1, 20, 21]);
  });
});

describe('the lease', () => {
  it('lets one run prune in a cluster: another ends without having done anything', async () => {
    await putDays(1, 2, 3);
    await takenByAnother(keys.leases.prune, 'weekly-1');
    const run = { ...runAt(NOW), isGone: async () => false };
    expect(await pruneBackups(pruneVault(copies, key), run, POLICY)).toMatchObject({
      outcome: 'skipped',
      reason: 'weekly-1 (arn) is pruning in this cluster',
      removed: 0,
    });
    expect(anything('primary')).toEqual([1, 2, 3]);
  });

  it('is had by one of ten who start at once', async () => {
    await putDays(1, 2, 3);
    const runs = Array.from({ length: 10 }, (_, i) => ({
      ...runAt(NOW),
      execution: `arn-${i}`,
      isGone: async () => false,
    }));
    const ended = await Promise.all(runs.map((run) => pruneBackups(pruneVault(copies, key), run, POLICY)));
    expect(ended.filter((ref) => ref.outcome === 'pruned')).toHaveLength(1);
  });

  it('waits for those who copy to the second region, and keeps others from beginning', async () => {
    await putDays(1, 2, 3);
    await takenByAnother(keys.leases.replicate('weekly'), 'weekly-1');
    const run = { ...runAt(NOW), isGone: async ({ work }: Holder) => work !== 'weekly-1' };
    expect(await pruneBackups(pruneVault(copies, key), run, POLICY)).toMatchObject({
      outcome: 'waiting',
      removed: 0,
    });
    expect([anything('primary'), copies.primary.objects.has(keys.leases.prune)]).toEqual([[1, 2, 3], true]);
    copies.primary.objects.delete(keys.leases.replicate('weekly'));
    expect(await pruneBackups(pruneVault(copies, key), run, POLICY)).toMatchObject({
      outcome: 'pruned',
      removed: 1,
    });
  });

  it('is not taken while a restore reads recovery points', async () => {
    await putDays(1, 2, 3);
    await takenByAnother(keys.leases.restore, 'restore-1');
    const run = { ...runAt(NOW), isGone: async () => false };
    expect(await pruneBackups(pruneVault(copies, key), run, POLICY)).toMatchObject({
      outcome: 'skipped',
    });
    expect(anything('primary')).toEqual([1, 2, 3]);
  });
});

describe('a run that is interrupted', () => {
  /** Backups that are there whole, in a copy; it fails when one is there in part. */
  function whole(copy: CopyName): number[] {
    expect([copy, anything(copy)]).toEqual([copy, records(copy)]);
    return records(copy);
  }
  const prepare = async () => {
    copies = { primary: new MemoryVault('primary'), replica: new MemoryVault('replica') };
    await putDays(1, 2, 3, 4);
    putObjects(copies.primary, nameOf(5, 'weekly'));
    copies.primary.calls = copies.replica.calls = 0;
  };
  async function killAt(copy: CopyName, at: number, policy: Partial<PrunePolicy> = {}): Promise<void> {
    await prepare();
    copies[copy].callsLeft = at;
    await expect(prune({}, policy)).rejects.toBeInstanceOf(Killed);
    await new Promise((resolve) => setImmediate(resolve)); // what was under way ends
    copies[copy].callsLeft = Number.POSITIVE_INFINITY;
    for (const each of COPIES)
      for (const day of records(each)) expect([at, objectsOf(each, day)]).toEqual([at, 6]);
  }
  const objectsOf = (copy: CopyName, day: number) =>
    [...copies[copy].objects.keys()].filter((key) => key.includes(`/${nameOf(day)}/`)).length;

  it.each([
    ['the same run, called again', NOW],
    ['a later run', later(24)],
  ])(
    'at any call of either copy, is finished by %s: nothing is half, and every snapshot is named',
    async (_, next) => {
      await prepare();
      await prune();
      const made = { primary: copies.primary.calls, replica: copies.replica.calls };
      for (const copy of COPIES)
        for (let at = 0; at < made[copy]; at++) {
          await killAt(copy, at);
          await prune({}, {}, next);
          expect([copy, at, whole('primary'), whole('replica')]).toEqual([copy, at, [3, 4], [3, 4]]);
          const plan = planOf(next);
          for (const part of [plan.primary, plan.replica])
            expect(part.forget.map((f) => f.backup).sort()).toEqual([nameOf(1), nameOf(2)]);
          expect([...copies.primary.objects.keys()].filter((key) => key.includes('weekly'))).toEqual([]);
          expect(removedFrom(plan.primary)).toContain(nameOf(1));
          const open = [...copies.primary.objects.keys()].filter((key) => key.endsWith('/plan.json'));
          const done = [...copies.primary.objects.keys()].filter((key) => key.endsWith('/done.json'));
          expect([at, open.length - done.length]).toEqual([at, 1]); // what waits for its Jobs is the last one
        }
    },
  );

  it('is finished even by one that is refused: nothing is half', async () => {
    await prepare();
    await prune({}, { retention: { keepLast: 3 } });
    const all = copies.primary.calls;
    for (let at = 0; at < all; at++) {
      await killAt('primary', at, { retention: { keepLast: 3 } });
      const much = { retention: { keepLast: 1 }, replicaRetention: { keepLast: 4 }, share: 1 };
      await expect(prune({}, much, later(24))).rejects.toMatchObject({ name: 'PruneRefused' });
      expect([at, [3, 4].includes(whole('primary').length)]).toEqual([at, true]);
    }
  });

  it('before its first removal is decided anew: the policy may have been corrected', async () => {
    await prepare();
    await prune();
    const plan = planOf();
    await prepare();
    put(copies.primary, keys.records.prune.plan(plan.prune), plan);
    const more = { retention: { keepLast: 4 }, replicaRetention: { keepLast: 4 } };
    expect(await prune({}, more, later(24))).toMatchObject({ removed: 0 });
    expect([whole('primary'), whole('replica')]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  it('of an earlier release is closed, for it had no mark of its end', async () => {
    await prepare();
    const old = keys.records.prune.plan('daily-20250101000000');
    put(copies.primary, old, {
      plan: 'daily',
      prune: 'daily-20250101000000',
      dryRun: false,
      decisions: [],
      forget: [],
    });
    await prune();
    expect(document(keys.records.prune.done('daily-20250101000000'))).toMatchObject({
      by: pruneName(NOW, 'arn'),
    });
  });
});
