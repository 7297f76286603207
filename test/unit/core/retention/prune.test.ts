import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VaultCopy } from '../../../../functions/contract/copies.ts';
import type { BackupRecord } from '../../../../functions/core/backup/record.ts';
import {
  exceedsShare,
  isLeftOver,
  orphanSnapshots,
  type PrunePlan,
  parseSnapshots,
  type Recorded,
  snapshotsToForget,
} from '../../../../functions/core/retention/prune.ts';
import type { RecoveryPoint } from '../../../../functions/core/retention/retention.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../../../functions/core/volumes/work.ts';
import {
  itemsOf,
  outcomeOf,
  type PruneItem,
  pruneJob,
  seenIn,
} from '../../../../functions/prune/reconcile-prune/repository-job.ts';
import { jobEnd } from '../../../support/builders.ts';
import { resticId } from '../../../support/restic-id.ts';
import { copiesOf, settingsWith } from '../../../support/selection.ts';

const NOW = new Date('2026-02-01T00:00:00Z');
const day = (n: number) => new Date(NOW.getTime() + n * 24 * 3600 * 1000);
const OLD = 'daily-20260101000000';

describe('the snapshots to forget', () => {
  const volume = (namespace: string, over: Partial<VolumeOutcome> = {}): VolumeOutcome => ({
    id: `${namespace}.data`,
    namespace,
    pvc: 'data',
    result: 'protected',
    snapshot: resticId(`${namespace}-1`),
    ...over,
  });
  const record = (backup: string, ...volumes: VolumeOutcome[]) =>
    ({ backup, volumes }) as unknown as BackupRecord;

  it('are those of all records, by backup and namespace', () => {
    const records = [
      record('b-1', volume('a'), volume('b')),
      record('b-2', volume('a', { snapshot: resticId('a-2') })),
    ];
    expect(snapshotsToForget(records)).toEqual([
      { backup: 'b-1', namespace: 'a', snapshots: [resticId('a-1')] },
      { backup: 'b-1', namespace: 'b', snapshots: [resticId('b-1')] },
      { backup: 'b-2', namespace: 'a', snapshots: [resticId('a-2')] },
    ]);
  });

  it('hold those of partial volumes and nothing for volumes without one', () => {
    const { snapshot: _, ...without } = volume('b', { result: 'failed' });
    expect(snapshotsToForget([record('b-1', volume('a', { result: 'partial' }), without)])).toEqual([
      { backup: 'b-1', namespace: 'a', snapshots: [resticId('a-1')] },
    ]);
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

describe('what is left over', () => {
  it.each([
    ['is older than the grace by its name and by what it wrote last', OLD, day(-8), true],
    ['is not what was written a moment ago', OLD, day(0), false],
    ['is not what was written at the end of the grace', OLD, day(-7), false],
    ['is not what is named after a moment ago', 'daily-20260131000000', day(-30), false],
    ['is not what is no backup', 'daily', day(-30), false],
    ['is not what has no time', OLD, undefined, false],
  ])('%s', (_, backup, lastWritten, expected) => {
    expect(isLeftOver(backup, lastWritten, NOW, 7)).toBe(expected);
  });
});

describe('the list of a repository’s snapshots', () => {
  const listed = (tags: string[] | undefined) =>
    `warning\n${JSON.stringify([{ id: 'i', time: '2026-01-01T00:00:00.123456789Z', tree: 't', ...(tags && { tags }) }])}\n`;

  it('names the backup that made each', () => {
    expect(parseSnapshots(listed(['plan=daily', `backup=${OLD}`]))).toEqual([
      { id: 'i', time: new Date('2026-01-01T00:00:00.123Z'), backup: OLD },
    ]);
  });

  it.each([[undefined], [[]], [['mine']], [['backup=of-mine']]])(
    'has nothing of what a person made, tagged %j',
    (tags) => {
      expect(parseSnapshots(listed(tags))).toEqual([]);
    },
  );

  it('that is cut off, or is not there, says nothing', () => {
    expect(parseSnapshots(listed([`backup=${OLD}`]).slice(0, -9))).toBeUndefined();
    expect(parseSnapshots('Fatal: wrong password')).toBeUndefined();
  });
});

describe('snapshots of no record', () => {
  const known = (over: Partial<Recorded> = {}): Recorded => ({
    removed: new Set(),
    here: new Set(),
    anywhere: new Set(),
    decidedAt: NOW,
    ...over,
  });
  const orphan = (time: Date, recorded: Recorded, backup = OLD) =>
    orphanSnapshots([{ id: 'i', time, backup }], recorded, NOW, 7).length > 0;
  const has = new Set([OLD]);

  it.each([
    ['go after the grace', day(-8), known(), true],
    ['stay within the grace', day(-6), known(), false],
    ['go at once when this run removes their backup', day(-1), known({ removed: has }), true],
    [
      'stay when they are younger than that decision: the backup is made again',
      day(1),
      known({ removed: has }),
      false,
    ],
    ['stay when their record is there', day(-8), known({ here: has, anywhere: has, removed: has }), false],
    ['stay when their record is in the other copy', day(-8), known({ anywhere: has }), false],
    [
      'go when their record is in the other copy and this run removes them here',
      day(-8),
      known({ anywhere: has, removed: has }),
      true,
    ],
  ])('%s', (_, time, recorded, expected) => {
    expect(orphan(time, recorded)).toBe(expected);
  });
});

const keys = vaultKeys('paris');
const settings = settingsWith({ vault: { name: 'v', region: 'eu-west-1', replicaRegion: 'eu-central-1' } });
const { primary, replica } = copiesOf(settings);
const forget = (namespace: string, ...snapshots: string[]) => ({ backup: OLD, namespace, snapshots });
const plan: PrunePlan = {
  version: 2,
  plan: 'daily',
  prune: 'daily-1',
  decidedAt: NOW.toISOString(),
  finishes: [],
  primary: {
    decisions: [],
    orphans: [],
    begun: [],
    forget: [forget('shop', 'a', 'b'), forget('shop', 'b', 'c')],
  },
  replica: { decisions: [], orphans: [], begun: [], forget: [] },
  search: ['_control-plane'],
};

describe('the Jobs of a prune run', () => {
  const stepsOf = (item: PruneItem, copies: readonly VaultCopy[] = [primary, replica]) =>
    pruneJob(settings, 'daily-1', item, copies).steps.map(
      (s) => `${s.name} ${'args' in s ? s.args.join(' ') : ''}`,
    );
  const [first, second] = itemsOf(plan, [], keys) as [PruneItem, PruneItem];

  it('are one for each repository of which something goes, or may go', () => {
    expect([first, second].map((i) => [i.id, i.repository])).toEqual([
      ['_control-plane', 'restic/paris/_control-plane'],
      ['shop', 'restic/paris/shop'],
    ]);
  });

  it('list, forget each snapshot once in the copies that are to lose it, and prune there', () => {
    expect(stepsOf(second)).toEqual([
      'list-primary snapshots --json --no-lock',
      'unlock-primary unlock',
      'forget-primary forget a b c --retry-lock 5m',
      'prune-primary prune --retry-lock 5m',
      'list-replica snapshots --json --no-lock',
    ]);
    expect(stepsOf(first)).toEqual([
      'list-primary snapshots --json --no-lock',
      'list-replica snapshots --json --no-lock',
    ]);
  });

  it('work on the repository of each copy, where that copy is', () => {
    const { steps } = pruneJob(settings, 'daily-1', first, [primary, replica]);
    expect(steps).toMatchObject([
      { repository: 's3:https://s3.primary/v-1-eu-west-1/restic/paris/_control-plane', region: 'eu-west-1' },
      {
        repository: 's3:https://s3.replica/v-1-eu-central-1/restic/paris/_control-plane',
        region: 'eu-central-1',
      },
    ]);
  });

  it('take away the locks that S3 has brought to the replica, and in the primary only those that are stale', () => {
    const continuous = { ...settings, vault: { ...settings.vault, continuous: true } };
    const item: PruneItem = { ...second, forget: { primary: ['a'], replica: ['a'] } };
    const { steps } = pruneJob(continuous, 'daily-1', item, [primary, replica]);
    const unlocks = steps.flatMap((s) => (s.name.startsWith('unlock') && 'args' in s ? [s.args] : []));
    expect(unlocks).toEqual([['unlock'], ['unlock', '--remove-all']]);
  });

  it('leave out a copy that does not have the repository', () => {
    expect(stepsOf(first, [primary])).toEqual(['list-primary snapshots --json --no-lock']);
  });

  it('are followed by another one where the first found snapshots of no record', () => {
    const orphans = { primary: [], replica: ['x'] };
    const third = itemsOf(plan, [{ namespace: 'shop', ok: true, message: '', orphans }], keys).at(
      -1,
    ) as PruneItem;
    expect([third.id, stepsOf(third)]).toEqual([
      'shop.orphans',
      [
        'unlock-replica unlock',
        'forget-replica forget x --retry-lock 5m',
        'prune-replica prune --retry-lock 5m',
      ],
    ]);
  });

  it('tell what they saw in a copy by the log of that step, be it the last one or not', () => {
    const log = JSON.stringify([{ id: 'i', time: '2026-01-01T00:00:00Z', tags: [`backup=${OLD}`] }]);
    const end = jobEnd({ reports: { 'list-primary': log }, step: 'list-replica', log: '[]' });
    expect([seenIn('primary', end)?.length, seenIn('replica', end)]).toEqual([1, []]);
    expect(seenIn('replica', jobEnd({ step: 'prune-primary', log: 'done' }))).toBeUndefined();
  });

  it('say in restic’s words why a repository kept what should be gone', () => {
    const failed = outcomeOf(
      second,
      jobEnd({ exitCode: 11, log: 'repository is already locked' }),
      undefined,
    );
    expect(failed).toEqual({ namespace: 'shop', ok: false, message: 'repository is already locked' });
  });
});
