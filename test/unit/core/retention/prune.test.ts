import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VaultCopy } from '../../../../functions/contract/copies.ts';
import { snapshotsIn } from '../../../../functions/core/backup/record.ts';
import {
  exceedsShare,
  leftForLater,
  PrunePlan,
  repositoriesOf,
  toForget,
  withoutNamed,
} from '../../../../functions/core/retention/prune.ts';
import type { RecoveryPoint } from '../../../../functions/core/retention/retention.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../../../functions/core/volumes/work.ts';
import {
  type AfterJob,
  itemsOf,
  outcomeOf,
  type PruneItem,
  pruneJob,
} from '../../../../functions/prune/reconcile-prune/repository-job.ts';
import { jobEnd, recordOf } from '../../../support/builders.ts';
import { resticId } from '../../../support/restic-id.ts';
import { copiesOf, settingsWith } from '../../../support/selection.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const OLD = 'daily-20260101000000';
const [A, B, C] = [resticId('a'), resticId('b'), resticId('c')];

describe('the snapshots to forget', () => {
  const volume = (namespace: string, over: Partial<VolumeOutcome> = {}): VolumeOutcome => ({
    id: `${namespace}.data`,
    namespace,
    pvc: 'data',
    result: 'protected',
    snapshot: resticId(`${namespace}-1`),
    ...over,
  });
  const record = (backup: string, ...volumes: VolumeOutcome[]) => ({
    backup,
    snapshots: snapshotsIn(recordOf(backup, { volumes })),
  });

  it('are those of all records, by backup and namespace', () => {
    const records = [
      record('b-1', volume('a'), volume('b')),
      record('b-2', volume('a', { snapshot: resticId('a-2') })),
    ];
    expect(toForget(records)).toEqual([
      { backup: 'b-1', namespace: 'a', snapshots: [resticId('a-1')] },
      { backup: 'b-1', namespace: 'b', snapshots: [resticId('b-1')] },
      { backup: 'b-2', namespace: 'a', snapshots: [resticId('a-2')] },
    ]);
  });

  it('hold those of partial volumes and nothing for volumes without one', () => {
    const { snapshot: _, ...without } = volume('b', { result: 'failed' });
    expect(toForget([record('b-1', volume('a', { result: 'partial' }), without)])).toEqual([
      { backup: 'b-1', namespace: 'a', snapshots: [resticId('a-1')] },
    ]);
  });
});

describe('the last filter of a run', () => {
  const id = fc.integer({ min: 0, max: 9 }).map((n) => resticId(String(n)));
  const entry = fc.record({
    backup: fc.constantFrom('a-20260101000000', 'b-20260101000000'),
    namespace: fc.constantFrom('a', 'b', '_control-plane'),
    snapshots: fc.array(id, { maxLength: 5 }),
  });

  it('leaves no snapshot in any list that a record names which stays, and takes out no other', () => {
    fc.assert(
      fc.property(fc.array(entry), fc.uniqueArray(id), (lists, named) => {
        const left = withoutNamed(lists, new Set(named)).flatMap((f) => f.snapshots);
        const all = lists.flatMap((f) => f.snapshots);
        expect(left).toEqual(all.filter((snapshot) => !named.includes(snapshot)));
      }),
    );
  });

  it('leaves no repository for which nothing is left to do', () => {
    const lists = [{ backup: OLD, namespace: 'shop', snapshots: [resticId('a')] }];
    expect(withoutNamed(lists, new Set([resticId('a')]))).toEqual([]);
  });
});

describe('what a run leaves to the next one', () => {
  const backup = fc
    .array(fc.constantFrom('a', 'b'), { maxLength: 6 })
    .map((names) => names.map((namespace) => ({ namespace, snapshot: A })));
  const backups = fc
    .array(backup, { maxLength: 12 })
    .map((all) =>
      all.map((snapshots, i) => ({ backup: `daily-${String(20 - i).padStart(2, '0')}`, snapshots })),
    );
  const many = (all: readonly { readonly snapshots: readonly { readonly namespace: string }[] }[]) =>
    ['a', 'b'].map((name) => all.flatMap((b) => b.snapshots).filter((s) => s.namespace === name).length);

  it('are the newest, so that the rest fits into a Job, or is one backup', () => {
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 20 }), (all, atMost) => {
        const later = leftForLater(all, [], atMost);
        const now = all.filter((b) => !later.has(b.backup));
        expect(all.slice(0, later.size).map((b) => b.backup)).toEqual([...later].reverse());
        const withAny = now.filter((b) => b.snapshots.length > 0);
        for (const [i, count] of many(now).entries()) {
          const alone = withAny.filter((b) => b.snapshots.some((s) => s.namespace === ['a', 'b'][i]));
          expect(count <= atMost || alone.length === 1).toBe(true);
        }
      }),
    );
  });

  it('are never all, if nothing was begun', () => {
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 20 }), (all, atMost) => {
        expect(leftForLater(all, [], atMost).size).toBeLessThan(Math.max(1, all.length));
      }),
    );
  });

  it('are more when an interrupted run has begun some', () => {
    const all = [{ backup: OLD, snapshots: [{ namespace: 'a', snapshot: A }] }];
    const begun = [{ backup: 'x', namespace: 'a', snapshots: [B, C] }];
    expect([...leftForLater(all, begun, 2)]).toEqual([OLD]);
    expect([...leftForLater(all, begun, 3)]).toEqual([]);
  });
});

describe('the share of a run', () => {
  const points = (n: number, phase: RecoveryPoint['phase'] = 'Completed') =>
    Array.from({ length: n }, (_, i) => ({ backup: `${phase}-${i}`, phase }) as RecoveryPoint);
  const removing = (all: readonly RecoveryPoint[], n: number) =>
    all.map(({ backup }, i) => ({ backup, keep: i >= n, reasons: [] }));

  it('is exceeded by the first recovery point beyond it, and never by one alone', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 100 }), (n, percent) => {
        const all = points(n);
        const first = Array.from({ length: n + 1 }, (_, i) => i).find((i) =>
          exceedsShare(all, removing(all, i), percent),
        );
        const allowed = Math.max(1, Math.floor((n * percent) / 100));
        expect(first).toBe(allowed < n ? allowed + 1 : undefined);
      }),
    );
  });

  it('says how much it would have been', () => {
    const all = points(4);
    expect(exceedsShare(all, removing(all, 3), 50)).toEqual({ removes: 3, of: 4 });
  });

  it('counts neither failed backups nor those at work', () => {
    const all = [...points(3, 'Failed'), ...points(2, 'Unknown'), ...points(1)];
    expect(exceedsShare(all, removing(all, 3), 1)).toBeUndefined();
  });
});

const keys = vaultKeys('paris');
const settings = settingsWith({ vault: { name: 'v', region: 'eu-west-1', replicaRegion: 'eu-central-1' } });
const { primary, replica } = copiesOf(settings);
const forget = (namespace: string, ...snapshots: string[]) => ({ backup: OLD, namespace, snapshots });
const nothing = { decisions: [], orphans: [], begun: [], forget: [], unread: [] };
const plan: PrunePlan = {
  version: 3,
  plan: 'daily',
  prune: 'prune-1',
  decidedAt: NOW.toISOString(),
  finishes: [],
  primary: { ...nothing, forget: [forget('shop', A, B), forget('shop', B, C)] },
  replica: { ...nothing, forget: [forget('_control-plane', A)] },
  unknownPlans: [],
};

describe('the plan of a run', () => {
  it('of version 2 is finished without its search: its orphans are decided anew', () => {
    const { unread: _, ...part } = plan.primary;
    const old = { ...plan, version: 2, primary: part, search: ['_control-plane', 'other'] };
    const { unknownPlans: __, ...stored } = old;
    expect(repositoriesOf(PrunePlan.parse(stored))).toEqual(['_control-plane', 'shop']);
    expect(PrunePlan.parse(stored)).toEqual({ ...plan, version: 2 });
  });

  it.each(['--unsafe-allow-remove-all', '--host=prod', A.slice(0, 8), A.toUpperCase(), `${A}\n`])(
    'forgets nothing that is not the id of a snapshot: %j',
    (id) => {
      const with_ = { ...plan, primary: { ...nothing, forget: [forget('shop', id)] } };
      expect(PrunePlan.safeParse(with_).success).toBe(false);
    },
  );
});

describe('the Jobs of a prune run', () => {
  const stepsOf = (item: PruneItem, copies: readonly VaultCopy[] = [primary, replica]) =>
    pruneJob(settings, 'prune-1', item, copies).steps.map((s) => ('args' in s ? [s.name, ...s.args] : []));
  const [first, second] = itemsOf(plan, keys) as [PruneItem, PruneItem];

  it('are one for each repository of which something goes', () => {
    expect([first, second].map((i) => [i.id, i.repository])).toEqual([
      ['_control-plane', 'restic/paris/_control-plane'],
      ['shop', 'restic/paris/shop'],
    ]);
  });

  it('forget each snapshot once in the copies that are to lose it, prune there, and read nothing', () => {
    const steps = stepsOf(second);
    expect(steps.map(([name]) => name)).toEqual(['unlock-primary', 'forget-primary', 'prune-primary']);
    expect(steps[1]).toEqual(expect.arrayContaining(['forget', A, B, C]));
    expect(steps[1]?.filter((arg) => arg === B)).toEqual([B]);
    expect(stepsOf(first).map(([name]) => name)).toEqual([
      'unlock-replica',
      'forget-replica',
      'prune-replica',
    ]);
  });

  it('work on the repository of each copy, where that copy is', () => {
    const item = { ...first, forget: { primary: [A], replica: [A] } };
    const { steps } = pruneJob(settings, 'prune-1', item, [primary, replica]);
    const places = steps.map((s) => ('repository' in s ? s.repository : undefined));
    expect([...new Set(places)]).toEqual([
      's3:https://s3.primary/v-1-eu-west-1/restic/paris/_control-plane',
      's3:https://s3.replica/v-1-eu-central-1/restic/paris/_control-plane',
    ]);
  });

  it('take away the locks that S3 has brought to the replica, and in the primary only those that are stale', () => {
    const continuous = { ...settings, vault: { ...settings.vault, continuous: true } };
    const item: PruneItem = { ...second, forget: { primary: [A], replica: [A] } };
    const { steps } = pruneJob(continuous, 'prune-1', item, [primary, replica]);
    const unlocks = steps.flatMap((s) => (s.name.startsWith('unlock') && 'args' in s ? [s.args] : []));
    expect(unlocks).toEqual([['unlock'], ['unlock', '--remove-all']]);
  });

  it('leave out a copy that does not have the repository', () => {
    expect(stepsOf(first, [primary])).toEqual([]);
  });
});

describe('the outcome of a repository', () => {
  const [, item] = itemsOf(plan, keys) as [PruneItem, PruneItem];
  const after = (over: Partial<AfterJob> = {}): AfterJob => ({
    copy: 'primary',
    left: [],
    lost: [],
    ...over,
  });

  it('is that the snapshots are gone and no others', () => {
    expect(outcomeOf(item, jobEnd(), [after(), after({ copy: 'replica' })])).toEqual({
      namespace: 'shop',
      ok: true,
      message: 'forgotten',
    });
  });

  it('says in restic’s words why a repository kept what should be gone', () => {
    const failed = outcomeOf(item, jobEnd({ exitCode: 11, log: 'repository is already locked' }), [after()]);
    expect(failed).toEqual({ namespace: 'shop', ok: false, message: 'repository is already locked' });
  });

  it('is what the vault says, whatever the Job claims', () => {
    const left = outcomeOf(item, jobEnd({ log: 'all removed' }), [after({ left: [A] })]);
    expect(left).toMatchObject({ ok: false, message: `snapshot ${A} to be forgotten, still in the primary` });
    const lost = outcomeOf(item, jobEnd(), [after({ copy: 'replica', lost: [A, B, C, resticId('d')] })]);
    expect(lost).toMatchObject({
      ok: false,
      message: `snapshots ${A}, ${B}, ${C} and 1 more to be kept, missing in the replica`,
    });
  });
});
