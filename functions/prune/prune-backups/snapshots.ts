import pMap from 'p-map';
import type { CopyName } from '../../contract/copies.ts';
import { messageOf } from '../../contract/holdfast-error.ts';
import type { ResticId } from '../../core/restic/ids.ts';
import {
  backupOf,
  graceEnds,
  orphanSnapshots,
  type Recorded,
  type UnnamedSnapshot,
} from '../../core/retention/orphans.ts';
import { type Forget, toForget } from '../../core/retention/prune.ts';
import type { Repository } from '../../runtime/repositories.ts';
import { listSnapshots } from '../listed-snapshots.ts';
import type { PruneContext } from './points.ts';

const CONCURRENCY = 16;

/** Snapshots of one repository that a run reads. Orphans are few; whoever may back up a namespace may write any number. */
const MAX_READ = 1000;

const tooMany = (repository: string) =>
  `${repository} has more snapshots that no record names than a run reads: the others are kept`;

/** What is decided about one copy before its snapshots are looked at. */
export interface SnapshotsContext extends PruneContext {
  readonly copy: CopyName;
  /** Snapshots that records name which stay in this copy. */
  readonly named: ReadonlySet<string>;
  /** Snapshots that are removed anyway. */
  readonly going: ReadonlySet<string>;
  readonly recorded: Recorded;
  /** Namespaces in which young snapshots may belong to a backup that is removed and whose record does not name them. */
  readonly suspects: ReadonlySet<string>;
  /** Backups whose record stays in this copy and cannot be read: they may name any snapshot. */
  readonly unreadable: readonly string[];
  readonly graceDays: number;
}

/** What the vault says about the snapshots of one copy. */
export interface LookedAt {
  readonly orphans: Forget[];
  /** Snapshots that are there and that records name, by namespace. */
  readonly kept: ReadonlyMap<string, readonly string[]>;
  /** What could not be read and is kept. */
  readonly unread: string[];
}

/** An object of a repository's `snapshots/`. */
interface Stored {
  readonly id: ResticId;
  readonly written: Date;
}

/** Lists the snapshots of all repositories of a copy in the vault, and reads those that no record names. */
export async function lookAtSnapshots(context: SnapshotsContext): Promise<LookedAt> {
  const { copies, copy, keys, recorded, graceDays, unreadable } = context;
  const kept = new Map<string, readonly string[]>();
  const unread = unreadable.map(
    (backup) =>
      `${keys.records.record(backup)} cannot be read: snapshots that no other record names are kept`,
  );
  const unnamed: UnnamedSnapshot[] = [];
  for (const namespace of await copies[copy].folders(keys.restic.root)) {
    const { named, candidates, complete } = await listed(context, namespace);
    if (named.length > 0) kept.set(namespace, named);
    if (!complete || candidates.length > MAX_READ) unread.push(tooMany(keys.restic.repository(namespace)));
    if (candidates.length === 0 || unreadable.length > 0) continue;
    const read = await readSnapshots(context, namespace, candidates.slice(0, MAX_READ));
    unnamed.push(...read.snapshots);
    unread.push(...read.unread);
  }
  const byBackup = Map.groupBy(orphanSnapshots(unnamed, recorded, graceDays), (s) => s.backup);
  return {
    orphans: toForget([...byBackup].map(([backup, snapshots]) => ({ backup, snapshots }))),
    kept,
    unread,
  };
}

/** Snapshots in the vault that records name, and those that may be orphaned. */
async function listed(
  { copies, copy, keys, named, going, suspects, graceDays, now }: SnapshotsContext,
  namespace: string,
): Promise<{ readonly named: string[]; readonly candidates: Stored[]; readonly complete: boolean }> {
  const { written, complete } = await listSnapshots(copies[copy], keys.restic.repository(namespace));
  const isOld = (at: Date) => graceEnds(at, graceDays) < now;
  const rest = [...written].filter(([id]) => !named.has(id) && !going.has(id));
  return {
    named: [...written.keys()].filter((id) => named.has(id)),
    candidates: rest
      .filter(([, at]) => suspects.has(namespace) || isOld(at))
      .map(([id, at]) => ({ id, written: at })),
    complete,
  };
}

/** What snapshots say of themselves. One that cannot be read is nobody's to remove. */
async function readSnapshots(
  context: SnapshotsContext,
  namespace: string,
  candidates: readonly Stored[],
): Promise<{ readonly snapshots: UnnamedSnapshot[]; readonly unread: string[] }> {
  const { keys, copy, cluster, open, timeLeft } = context;
  const unread: string[] = [];
  const keepsDamaged = (error: unknown): undefined => {
    if ((error as Error).name !== 'RecoveryPointDamaged') throw error;
    unread.push(messageOf(error));
  };
  const dir = keys.restic.repository(namespace);
  if (!timeLeft()) return { snapshots: [], unread: [`${dir} is looked at by the next run`] };
  const repository: Repository | undefined = await open(copy, dir).catch(keepsDamaged);
  if (!repository) return { snapshots: [], unread };
  const look = async ({ id, written }: Stored): Promise<UnnamedSnapshot[]> => {
    const facts = await repository.snapshot(id).catch(keepsDamaged);
    const backup = facts && backupOf(facts, cluster);
    if (!facts || !backup) return [];
    return [{ namespace, snapshot: id, backup, at: facts.time > written ? facts.time : written }];
  };
  const snapshots = await pMap(candidates, look, { concurrency: CONCURRENCY });
  return { snapshots: snapshots.flat(), unread: bounded(unread.sort(), dir) };
}

/** Snapshots of a repository that are named; the others are counted. */
const NAMED = 3;

const bounded = (unread: readonly string[], repository: string): string[] => [
  ...unread.slice(0, NAMED),
  ...(unread.length > NAMED
    ? [`${unread.length - NAMED} more snapshots of ${repository} cannot be read`]
    : []),
];
