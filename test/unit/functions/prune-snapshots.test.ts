import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from '../../../functions/adapters/s3/documents.ts';
import { COPIES, type CopyName } from '../../../functions/contract/copies.ts';
import { backupName, pruneName } from '../../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';
import { PrunePlan, RepositoryKeeps, snapshotsOf } from '../../../functions/core/retention/prune.ts';
import { vaultKeys } from '../../../functions/core/vault/vault-keys.ts';
import type { PrunePolicy } from '../../../functions/prune/prune-backups/decide.ts';
import type { PruneVault } from '../../../functions/prune/prune-backups/points.ts';
import { pruneBackups } from '../../../functions/prune/prune-backups/prune.ts';
import { putSignedRecord } from '../../../functions/runtime/signed-records.ts';
import { DATA, recordOf, workOf } from '../../support/builders.ts';
import { keyPair } from '../../support/key-pair.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { passwordOf, pruneVault } from '../../support/prunes.ts';
import { resticId } from '../../support/restic-id.ts';
import { ResticWriter, type SnapshotText } from '../../support/restic-writer.ts';

const keys = vaultKeys('paris');
const signer = keyPair();
const NOW = new Date('2026-02-01T02:00:00Z');
const LONG_AGO = new Date('2026-01-02T00:00:00Z');
const RUN = pruneName(NOW, 'arn');
const POLICY: PrunePolicy = {
  retention: { keepLast: 2 },
  replicaRetention: { keepLast: 2 },
  timeZone: 'UTC',
  share: 100,
  orphanGraceDays: 7,
  retired: new Map(),
  plans: ['daily', 'hourly'],
};
const nameOf = (day: number, plan = 'daily') => backupName(plan, new Date(Date.UTC(2026, 0, day)));

let copies: Record<CopyName, MemoryVault>;
let writers: Map<string, ResticWriter>;
beforeEach(() => {
  copies = { primary: new MemoryVault('primary'), replica: new MemoryVault('replica') };
  writers = new Map();
});

/** Writes a snapshot into a repository of some copies, the same in each, and returns its id. */
function putSnapshot(
  backup: string,
  {
    namespace = 'shop',
    where = ['primary'],
    modified = LONG_AGO,
    ...over
  }: {
    readonly namespace?: string;
    readonly where?: readonly CopyName[];
    readonly modified?: Date;
  } & SnapshotText = {},
): string {
  const repository = keys.restic.repository(namespace);
  const made = new MemoryVault('made');
  const writer = writers.get(namespace) ?? ResticWriter.create(made, repository, passwordOf(repository));
  writers.set(namespace, writer);
  // The writer writes into the place that it was made with.
  const place = places.get(writer) ?? made;
  places.set(writer, place);
  const text = { time: LONG_AGO.toISOString(), tags: [`backup=${backup}`, 'plan=daily'], ...over };
  const id = writer.snapshot(text);
  const isNew = (key: string) => key.endsWith(id) || !key.includes('/snapshots/');
  for (const copy of where)
    for (const [key, stored] of place.objects)
      if (isNew(key)) copies[copy].objects.set(key, { ...stored, modified });
  return id;
}
const places = new WeakMap<ResticWriter, MemoryVault>();

/** A proven recovery point with one snapshot, in some copies. */
async function putPoint(
  backup: string,
  snapshot: string,
  over: Partial<BackupRecord> = {},
  where: readonly CopyName[] = COPIES,
) {
  const record = recordOf(backup, {
    plan: backup.replace(/-\d+$/, ''),
    startedAt: '2026-01-31T00:00:00Z',
    volumes: [{ ...DATA, snapshot }],
    ...over,
  });
  for (const copy of where) {
    await putSignedRecord(copies[copy], keys.records.record(backup), record, signer);
    copies[copy].objects.set(keys.records.replica(backup), { body: encode({}), metadata: {} });
  }
}
async function putUnsigned(copy: CopyName, backup: string, over: Partial<BackupRecord>) {
  await copies[copy].put(keys.records.record(backup), encode(recordOf(backup, over)));
  await copies[copy].put(keys.records.work(backup), encode(workOf({ backup, volumes: [WORK] })));
}
const WORK = { id: 'shop.data', namespace: 'shop', pvc: 'data', strategy: 'mount' as const };

const prune = (policy: Partial<PrunePolicy> = {}, over: Partial<PruneVault> = {}, dryRun = false) => {
  const input = { plan: 'daily', ...(dryRun && { dryRun }) };
  const run = { input, prune: RUN, execution: 'arn', now: NOW, isGone: async () => true };
  return pruneBackups({ ...pruneVault(copies, signer), ...over }, run, { ...POLICY, ...policy });
};
const document = (key: string) => JSON.parse(copies.primary.objects.get(key)?.body.toString() ?? 'null');
const plan = () => PrunePlan.parse(document(keys.records.prune.plan(RUN)));
const forgotten = (copy: CopyName, namespace = 'shop') =>
  copies.primary.objects.has(keys.records.prune.plan(RUN)) ? snapshotsOf(plan()[copy].forget, namespace) : [];
const keeps = (namespace = 'shop') =>
  RepositoryKeeps.parse(document(keys.records.prune.keeps(RUN, namespace)));

describe('snapshots that no record names', () => {
  it('are found in the vault and forgotten, in whichever copy they are', async () => {
    const [named, lost] = [putSnapshot(nameOf(3)), putSnapshot(nameOf(1))];
    const there = putSnapshot(nameOf(1), { namespace: 'only-there', where: ['replica'] });
    await putPoint(nameOf(3), named);
    expect(await prune()).toMatchObject({ removed: 0, forget: 2 });
    expect([forgotten('primary'), forgotten('replica', 'only-there')]).toEqual([[lost], [there]]);
    expect(plan().primary.forget).toEqual([{ backup: nameOf(1), namespace: 'shop', snapshots: [lost] }]);
    expect(keeps()).toEqual({ primary: [named], replica: [] });
  });

  it('are shown by a dry run', async () => {
    const lost = putSnapshot(nameOf(1));
    await prune({}, {}, true);
    const { primary } = document(keys.records.prune.report(RUN));
    expect(primary.forget).toEqual([{ backup: nameOf(1), namespace: 'shop', snapshots: [lost] }]);
  });

  it.each([
    ['of a person, without tags', { tags: [] }],
    ['of a person, with tags of their own', { tags: ['backup=mine'] }],
    ['of another cluster', { hostname: 'rome' }],
    ['written within the grace period', { modified: new Date('2026-01-31T00:00:00Z') }],
    ['taken within the grace period', { time: '2026-01-31T00:00:00Z' }],
  ])('are kept: %s', async (_, over) => {
    putSnapshot(nameOf(1), over);
    expect(await prune()).toMatchObject({ forget: 0 });
  });

  it('are kept while their backup has a record in the other copy', async () => {
    putSnapshot(nameOf(3));
    await putPoint(nameOf(3), resticId('other'), {}, ['replica']);
    expect(await prune()).toMatchObject({ forget: 0 });
  });

  it('are not those that a record of another plan names, signed or not', async () => {
    const [a, b] = [putSnapshot(nameOf(1)), putSnapshot(nameOf(2))];
    await putPoint(nameOf(3, 'hourly'), a, {}, ['primary']);
    await putUnsigned('primary', nameOf(4, 'hourly'), {
      plan: 'hourly',
      volumes: [{ ...DATA, snapshot: b }],
    });
    expect(await prune()).toMatchObject({ forget: 0 });
  });

  it('of a failed backup go with it, however young, where its work list says', async () => {
    const at = { modified: new Date('2026-02-01T01:00:00Z'), time: '2026-02-01T01:00:00Z' };
    const young = putSnapshot(nameOf(4), { ...at, where: COPIES });
    const running = putSnapshot(nameOf(31), at);
    await putUnsigned('primary', nameOf(4), { phase: 'Failed' });
    await prune();
    expect([forgotten('primary'), forgotten('replica')]).toEqual([[young], [young]]);
    expect(running).not.toBe(young);
  });
});

describe('beside a failed backup whose snapshots are looked for', () => {
  it('a young object stays, whatever time its snapshot says', async () => {
    putSnapshot(nameOf(1), { modified: new Date('2026-02-01T01:00:00Z') });
    await putUnsigned('primary', nameOf(4), { phase: 'Failed' });
    await prune();
    expect(forgotten('primary')).toEqual([]);
  });

  it('nothing goes because its unsigned record names it', async () => {
    const [running, foreign] = [putSnapshot(nameOf(31)), putSnapshot(nameOf(4), { tags: [] })];
    const volumes = [running, foreign].map((snapshot) => ({ ...DATA, snapshot }));
    await putUnsigned('primary', nameOf(4), { phase: 'Failed', volumes });
    await prune();
    expect(forgotten('primary')).toEqual([]);
  });
});

describe('what cannot be read', () => {
  it('is a damaged snapshot: it is kept and named, and the others are decided', async () => {
    const [lost, damaged] = [putSnapshot(nameOf(1)), putSnapshot(nameOf(2))];
    const key = `${keys.restic.repository('shop')}/snapshots/${damaged}`;
    copies.primary.objects.set(key, { body: Buffer.from('x'), metadata: {}, modified: LONG_AGO });
    await prune();
    expect(forgotten('primary')).toEqual([lost]);
    expect(plan().primary.unread).toEqual([expect.stringContaining(key)]);
  });

  it('is a repository with a foreign password: it is kept and named, and the others are decided', async () => {
    putSnapshot(nameOf(1));
    const other = putSnapshot(nameOf(1), { namespace: 'other' });
    const { open } = pruneVault(copies, signer);
    const foreign = keys.restic.repository('shop');
    await prune({}, { open: (copy, at) => open(copy, at === foreign ? 'restic/paris/x' : at) });
    expect([forgotten('primary'), forgotten('primary', 'other')]).toEqual([[], [other]]);
    expect(plan().primary.unread).toHaveLength(1);
  });

  it('is a record: nothing goes that no other record names, for it may name anything', async () => {
    const [old, , a, b] = [1, 2, 3, 4].map((day) => putSnapshot(nameOf(day))) as [
      string,
      string,
      string,
      string,
    ];
    await putPoint(nameOf(1), old);
    await putPoint(nameOf(3), a);
    await putPoint(nameOf(4), b);
    await copies.primary.put(keys.records.record(nameOf(5, 'hourly')), Buffer.from('damaged'));
    await prune();
    expect(forgotten('primary')).toEqual([old]);
    expect(plan().primary.unread).toEqual([expect.stringContaining(nameOf(5, 'hourly'))]);
  });

  it('is an error of the vault: the run fails and decides nothing', async () => {
    putSnapshot(nameOf(1));
    const open = async () => {
      throw Object.assign(new Error('slow down'), { name: 'VaultUnavailable' });
    };
    await expect(prune({}, { open })).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(copies.primary.objects.has(keys.records.prune.plan(RUN))).toBe(false);
  });

  it('is left to the next run when there is no time', async () => {
    putSnapshot(nameOf(1));
    await prune({}, { timeLeft: () => false }, true);
    expect(document(keys.records.prune.report(RUN)).primary).toMatchObject({
      forget: [],
      unread: ['restic/paris/shop is looked at by the next run'],
    });
  });
});

describe('a snapshot that a record names which stays', () => {
  it('is not forgotten because a signed record that goes names it, too', async () => {
    const shared = putSnapshot(nameOf(3));
    await putPoint(nameOf(1), shared);
    for (const day of [3, 4]) await putPoint(nameOf(day), shared);
    expect(await prune()).toMatchObject({ removed: 1, forget: 0 });
  });

  it('is not forgotten because an interrupted run says so', async () => {
    const shared = putSnapshot(nameOf(3));
    await putPoint(nameOf(3), shared);
    const forget = [{ backup: nameOf(1), namespace: 'shop', snapshots: [shared] }];
    const gone = { decisions: [{ backup: nameOf(1), keep: false, reasons: ['x'] }], orphans: [], begun: [] };
    const earlier = {
      version: 2,
      plan: 'daily',
      prune: 'daily-20260131020000',
      decidedAt: 'x',
      finishes: [],
    };
    const nothing = { decisions: [], orphans: [], begun: [], forget: [] };
    await copies.primary.put(
      keys.records.prune.plan(earlier.prune),
      encode({ ...earlier, search: ['shop'], primary: { ...gone, forget }, replica: nothing }),
    );
    expect(await prune()).toMatchObject({ forget: 0 });
    expect(plan().finishes).toEqual([earlier.prune]);
  });

  it('is told apart from what an interrupted run of the release before had begun to remove', async () => {
    const [begun, kept] = [putSnapshot(nameOf(1)), putSnapshot(nameOf(3))];
    await putPoint(nameOf(3), kept);
    await putPoint(nameOf(1), begun, {}, ['replica']);
    const forget = [{ backup: nameOf(1), namespace: 'shop', snapshots: [begun, kept] }];
    const nothing = { decisions: [], orphans: [], begun: [], forget: [] };
    const gone = { ...nothing, decisions: [{ backup: nameOf(1), keep: false, reasons: ['x'] }] };
    const earlier = {
      version: 2,
      plan: 'daily',
      prune: 'daily-20260131020000',
      decidedAt: 'x',
      finishes: [],
    };
    await copies.primary.put(
      keys.records.prune.plan(earlier.prune),
      encode({ ...earlier, search: [], primary: { ...gone, forget }, replica: nothing }),
    );
    await prune();
    expect(forgotten('primary')).toEqual([begun]);
  });

  it('stays in its copy, whatever records, tags and times there are', async () => {
    const kind = fc.constantFrom('signed', 'unsigned', 'none', 'damaged');
    const one = fc.record({
      day: fc.integer({ min: 1, max: 6 }),
      plan: fc.constantFrom('daily', 'hourly'),
      names: fc.nat(5),
      primary: kind,
      replica: kind,
      phase: fc.constantFrom('Completed' as const, 'PartiallyFailed' as const, 'Failed' as const),
    });
    const tags = fc.array(fc.record({ day: fc.integer({ min: 1, max: 8 }), own: fc.boolean() }), {
      minLength: 6,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 6 }), tags, async (backups, tagged) => {
        copies = { primary: new MemoryVault('primary'), replica: new MemoryVault('replica') };
        writers = new Map();
        const ids = tagged.map(({ day, own }) =>
          putSnapshot(nameOf(day), { where: COPIES, ...(own && { tags: [] }) }),
        );
        for (const { day, plan: of, names, phase, ...kinds } of backups)
          for (const copy of COPIES) {
            const backup = nameOf(day, of);
            const snapshot = ids[names] as string;
            if (kinds[copy] === 'signed') await putPoint(backup, snapshot, { phase }, [copy]);
            if (kinds[copy] === 'unsigned')
              await putUnsigned(copy, backup, { plan: of, phase, volumes: [{ ...DATA, snapshot }] });
            if (kinds[copy] === 'damaged')
              await copies[copy].put(keys.records.record(backup), Buffer.from('?'));
          }
        await prune({ retention: { keepLast: 1 }, replicaRetention: { keepLast: 1, ttl: '1d' } });
        for (const copy of COPIES) {
          const named = [...copies[copy].objects].flatMap(([key, { body }]) =>
            key.endsWith('/record.json') && body.length > 1
              ? (JSON.parse(body.toString()).volumes as { snapshot: string }[]).map((v) => v.snapshot)
              : [],
          );
          expect(forgotten(copy).filter((id) => named.includes(id))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the only snapshot of a database', () => {
  const partly = { phase: 'PartiallyFailed' as const, reasons: ['volume shop/data: no result'] };
  const { snapshot: _, ...failed } = DATA;
  const without = { ...partly, volumes: [{ ...failed, result: 'failed' as const }] };
  const week = { keepLast: 7, ttl: '3d' };
  let only: string;
  beforeEach(async () => {
    only = putSnapshot(nameOf(10), { where: COPIES });
    await putPoint(nameOf(10), only, partly);
    for (let day = 11; day <= 18; day++) await putPoint(nameOf(day), '', without);
  });
  const run = () => prune({ retention: week, replicaRetention: { keepLast: 1 } });
  const decided = (copy: CopyName) => plan()[copy].decisions.find((d) => d.backup === nameOf(10));

  it('stays in both copies behind any number of days on which its volume failed, and in spite of a ttl', async () => {
    await run();
    expect(decided('primary')).toMatchObject({ keep: true, reasons: ['last good of volume shop/data'] });
    expect(decided('replica')?.reasons).toContain('last good of volume shop/data');
    expect([forgotten('primary'), forgotten('replica')]).toEqual([[], []]);
  });

  it('is not given up for a record that is forged, not signed, or damaged', async () => {
    const other = { ...DATA, snapshot: resticId('forged') };
    await putUnsigned('primary', nameOf(19), { volumes: [other] });
    await putPoint(nameOf(20), resticId('forged'));
    const forged = copies.primary.objects.get(keys.records.record(nameOf(20)))?.body.toString() ?? '';
    await copies.primary.put(
      keys.records.record(nameOf(20)),
      Buffer.from(forged.replace('Completed', 'completed')),
    );
    await putPoint(nameOf(21), resticId('forged'));
    await copies.primary.put(
      keys.records.record(nameOf(21)),
      Buffer.from(forged.replaceAll(nameOf(20), nameOf(21)).replace('2026-01-31', '2026-01-30')),
    );
    await run();
    expect(decided('primary')?.keep).toBe(true);
    expect(forgotten('primary')).toEqual([]);
  });
});

describe('recovery points of a plan that holdfast.yaml does not name', () => {
  it('are reported by each run, and nothing of them goes', async () => {
    const old = putSnapshot(nameOf(1, 'former'));
    await putPoint(nameOf(1, 'former'), old);
    await prune({}, {}, true);
    expect(document(keys.records.prune.report(RUN)).unknownPlans).toEqual([
      expect.stringMatching(/^1 backup of plan former, up to former-20260101000000: /),
    ]);
    const said: string[] = [];
    expect(await prune({}, { warn: (text) => void said.push(text) })).toMatchObject({
      removed: 0,
      forget: 0,
    });
    expect(said).toEqual([expect.stringContaining('plan former')]);
  });
});

describe('recovery points of retired plans', () => {
  const ended = { keepLast: 1, ttl: '5d', retired: true };
  const retired = (plans: readonly string[], retention = ended) =>
    new Map(plans.map((name) => [name, { retention, replicaRetention: retention, timeZone: 'UTC' }]));
  const putPoints = async (...names: readonly string[]) => {
    for (const name of names) await putPoint(name, putSnapshot(name, { where: COPIES }));
  };
  const left = (copy: CopyName) =>
    [...copies[copy].objects.keys()].flatMap((key) => /([^/]+)\/record\.json$/.exec(key)?.[1] ?? []);

  it('go by the retention of their plan with the run of any plan, the last ones, too', async () => {
    await putPoints(nameOf(1, 'weekly'), nameOf(3));
    expect(await prune({ retired: retired(['weekly']) })).toMatchObject({ removed: 1, kept: 1, forget: 1 });
    for (const copy of COPIES) expect(left(copy)).toEqual([nameOf(3)]);
    expect(plan().replica.forget.map((f) => f.backup)).toEqual([nameOf(1, 'weekly')]);
  });

  it('stay in both copies when too many would go at once, and the run goes on', async () => {
    await putPoints(...[1, 2, 3].map((day) => nameOf(day, 'weekly')), ...[1, 2, 3].map((day) => nameOf(day)));
    const over = { retired: retired(['weekly']), share: 50 };
    expect(await prune(over)).toMatchObject({ removed: 1, kept: 5 });
    expect(left('replica').sort()).toEqual([
      ...[2, 3].map((day) => nameOf(day)),
      ...[1, 2, 3].map((day) => nameOf(day, 'weekly')),
    ]);
    expect(plan().primary.decisions).toContainEqual({
      backup: nameOf(1, 'weekly'),
      keep: true,
      reasons: ['so much of a plan goes only by holdfast prune weekly --allow-share 100'],
    });
  });

  it('count for no rule of another plan', async () => {
    await putPoints(nameOf(1), nameOf(2), ...[20, 21, 22].map((day) => nameOf(day, 'weekly')));
    const longer = { keepLast: 9, ttl: '1y', retired: true };
    expect(await prune({ retired: retired(['weekly'], longer) })).toMatchObject({ removed: 0, kept: 5 });
  });
});
