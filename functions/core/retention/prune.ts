import * as z from 'zod/mini';
import { parseBackupName } from '../backup/backup-name.ts';
import { type BackupRecord, snapshotsIn } from '../backup/record.ts';
import { ResticId } from '../restic/ids.ts';
import type { RecoveryPoint, RetentionDecision } from './retention.ts';

const Decision = z.object({ backup: z.string(), keep: z.boolean(), reasons: z.array(z.string()) });

/** An orphaned backup: objects without a record. */
export const Orphan = z.object({
  backup: z.string(),
  objects: z.int(),
  remove: z.boolean(),
  reason: z.string(),
});
export type Orphan = z.infer<typeof Orphan>;

const Forget = z.object({ backup: z.string(), namespace: z.string(), snapshots: z.array(ResticId) });
export type Forget = z.infer<typeof Forget>;

/** Decisions about one copy. */
export const CopyPlan = z.object({
  decisions: z.array(Decision),
  orphans: z.array(Orphan),
  /** Backups whose record an earlier, interrupted run has removed. */
  begun: z.array(z.string()),
  forget: z.array(Forget),
});
export type CopyPlan = z.infer<typeof CopyPlan>;

/** What one prune run removes, written before the first removal, because afterwards no record names the snapshots. */
export const PrunePlan = z.object({
  version: z.literal(2),
  plan: z.string(),
  prune: z.string(),
  decidedAt: z.string(),
  /** Earlier, interrupted runs. This run completes them. */
  finishes: z.array(z.string()),
  primary: CopyPlan,
  replica: CopyPlan,
  /** Namespaces whose repositories may have orphaned snapshots, which are found by their tags. */
  search: z.array(z.string()),
});
export type PrunePlan = z.infer<typeof PrunePlan>;

/** Result of a repository's Job, and the orphaned snapshots that it found. */
export const PruneOutcome = z.object({
  namespace: z.string(),
  ok: z.boolean(),
  message: z.string(),
  orphans: z.optional(z.object({ primary: z.array(ResticId), replica: z.array(ResticId) })),
});
export type PruneOutcome = z.infer<typeof PruneOutcome>;

/** Backups that a run removes from a copy. */
export const removedFrom = ({ decisions, orphans, begun }: CopyPlan): string[] => [
  ...begun,
  ...decisions.filter((d) => !d.keep).map((d) => d.backup),
  ...orphans.filter((o) => o.remove).map((o) => o.backup),
];

/** Namespaces whose repositories a run processes. */
export const repositoriesOf = ({ primary, replica, search }: PrunePlan): string[] =>
  [...new Set([...[...primary.forget, ...replica.forget].map((f) => f.namespace), ...search])].sort();

/** Snapshots of records to remove. The records must be signed: an unsigned one could name the snapshots of another. */
export function snapshotsToForget(records: readonly BackupRecord[]): Forget[] {
  return records.flatMap((record) => {
    const byNamespace = Map.groupBy(snapshotsIn(record), (s) => s.namespace);
    return [...byNamespace].map(([namespace, found]) => ({
      backup: record.backup,
      namespace,
      snapshots: found.map((s) => s.snapshot),
    }));
  });
}

/** All snapshots of one repository that a list names, each once: one restic call. */
export const snapshotsOf = (forget: readonly Forget[], namespace: string): string[] => [
  ...new Set(forget.filter((f) => f.namespace === namespace).flatMap((f) => f.snapshots)),
];

/**
 * Whether a run would remove more than a share of a copy's recovery points; undefined if not. One may always be removed,
 * otherwise a plan with few recovery points could never be pruned. Failed backups have no data and do not count.
 */
export function exceedsShare(
  points: readonly RecoveryPoint[],
  decisions: readonly RetentionDecision[],
  percent: number,
): { readonly removes: number; readonly of: number } | undefined {
  const held = new Set(
    points.filter((p) => p.phase !== 'Failed' && p.phase !== 'Unknown').map((p) => p.backup),
  );
  const removes = decisions.filter((d) => !d.keep && held.has(d.backup)).length;
  const allowed = Math.max(1, Math.floor((held.size * percent) / 100));
  return removes > allowed ? { removes, of: held.size } : undefined;
}

/** End of the grace period of something that last changed then. */
export const graceEnds = (since: Date, days: number): Date =>
  new Date(since.getTime() + days * 24 * 3600 * 1000);

/**
 * Whether a backup without a record is orphaned. The name of a backup may have an old timestamp, so the last write counts
 * too. The grace period is longer than any execution.
 */
export function isLeftOver(
  backup: string,
  lastWritten: Date | undefined,
  now: Date,
  graceDays: number,
): boolean {
  const named = parseBackupName(backup)?.at;
  if (!named || !lastWritten) return false;
  return graceEnds(named, graceDays) < now && graceEnds(lastWritten, graceDays) < now;
}

/** A snapshot in the output of `restic snapshots --json`. */
const Snapshot = z.object({ id: z.string(), time: z.string(), tags: z.optional(z.array(z.string())) });

/** A restic snapshot that Holdfast took. */
export interface TaggedSnapshot {
  readonly id: string;
  readonly time: Date;
  readonly backup: string;
}

/** Parses the list, without snapshots that lack Holdfast's tag. Undefined if it cannot be parsed. */
export function parseSnapshots(log: string): TaggedSnapshot[] | undefined {
  const line = log.split('\n').find((l) => l.startsWith('['));
  if (line === undefined) return undefined;
  try {
    return z.parse(z.array(Snapshot), JSON.parse(line)).flatMap(({ id, time, tags = [] }) => {
      const backup = tags.find((t) => t.startsWith('backup='))?.slice('backup='.length);
      return backup && parseBackupName(backup) ? [{ id, time: new Date(time), backup }] : [];
    });
  } catch {
    return undefined; // truncated: the next run reads it
  }
}

/** The backups that have, had or lose a record in one copy. */
export interface Recorded {
  /** Those that this run removes from the copy. */
  readonly removed: ReadonlySet<string>;
  /** Those that have a record in this copy, and in any. */
  readonly here: ReadonlySet<string>;
  readonly anywhere: ReadonlySet<string>;
  /** When the run decided. A newer snapshot belongs to a repeated backup. */
  readonly decidedAt: Date;
}

/** Orphaned snapshots: of backups that this run removes, and of backups that never got a record. */
export function orphanSnapshots(
  snapshots: readonly TaggedSnapshot[],
  { removed, here, anywhere, decidedAt }: Recorded,
  now: Date,
  graceDays: number,
): string[] {
  return snapshots
    .filter(({ backup, time }) => {
      if (here.has(backup)) return false;
      if (removed.has(backup)) return time < decidedAt;
      return !anywhere.has(backup) && isLeftOver(backup, time, now, graceDays);
    })
    .map((s) => s.id);
}
