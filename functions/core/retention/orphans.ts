import { parseBackupName } from '../backup/backup-name.ts';
import type { SnapshotFacts } from '../restic/snapshot-file.ts';
import type { NamedSnapshot } from './prune.ts';

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

const TAG = 'backup=';

/**
 * The backup that a snapshot belongs to, if Holdfast took it: its host is the cluster, and one tag names a backup. Undefined
 * for a snapshot of somebody else.
 */
export function backupOf(
  { hostname, tags }: Pick<SnapshotFacts, 'hostname' | 'tags'>,
  cluster: string,
): string | undefined {
  const named = tags.filter((t) => t.startsWith(TAG)).map((t) => t.slice(TAG.length));
  const [backup] = named;
  return hostname === cluster && named.length === 1 && backup && parseBackupName(backup) ? backup : undefined;
}

/** A snapshot that is in a copy, that no record there names, and that Holdfast took. */
export interface UnnamedSnapshot extends NamedSnapshot {
  readonly backup: string;
  /** When it was taken, or when its object was written if that is later. */
  readonly at: Date;
}

/** The backups that have, had or lose a record in one copy. */
export interface Recorded {
  /** Those that this run removes from the copy, or from the only copy that has them. */
  readonly removed: ReadonlySet<string>;
  /** Those whose record stays in this copy, and in any. */
  readonly here: ReadonlySet<string>;
  readonly anywhere: ReadonlySet<string>;
  /** When the run decided. A newer snapshot belongs to a repeated backup. */
  readonly decidedAt: Date;
}

/** Orphaned snapshots: of backups that this run removes, and of backups that never got a record. */
export function orphanSnapshots<S extends UnnamedSnapshot>(
  snapshots: readonly S[],
  { removed, here, anywhere, decidedAt }: Recorded,
  graceDays: number,
): S[] {
  return snapshots.filter(({ backup, at }) => {
    if (here.has(backup)) return false;
    if (removed.has(backup)) return at < decidedAt;
    return !anywhere.has(backup) && isLeftOver(backup, at, decidedAt, graceDays);
  });
}
