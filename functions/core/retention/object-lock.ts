import type { LockMode, ObjectLockSettings } from '../../contract/settings.ts';
import { parseBackupName } from '../backup/backup-name.ts';
import { type BackupRecord, snapshotsIn } from '../backup/record.ts';
import type { VaultKeys } from '../vault/vault-keys.ts';
import { factsOf, pointOf } from './points.ts';
import { type AppliedRetention, decideRetention } from './retention.ts';

/** The lock of one version of an object. */
export interface ObjectRetention {
  readonly mode: LockMode;
  readonly until: Date;
}

const DAY_MS = 24 * 3600 * 1000;
const after = (at: Date, days: number): Date => new Date(at.getTime() + days * DAY_MS);

/** Minimum end of the locks after a pass that began then: half the lock period. */
export const lockedAtLeastUntil = (lock: ObjectLockSettings, began: Date): Date =>
  after(began, lock.days / 2);

/**
 * The new lock of a version; undefined while more than half of the period is left. The end is always later. The mode of an
 * unexpired lock stays: S3 rejects a change of the mode.
 */
export function extension(
  found: ObjectRetention | undefined,
  lock: ObjectLockSettings,
  now: Date,
): ObjectRetention | undefined {
  if (found && found.until >= lockedAtLeastUntil(lock, now)) return undefined;
  const holds = found !== undefined && found.until > now;
  return { mode: holds ? found.mode : lock.mode, until: after(now, lock.days) };
}

/** Whether a key below a kept prefix is locked. Restic's locks, lock.json and progress.json are not: they are removed or rewritten. */
export function isLocked(key: string): boolean {
  return !/^(restic\/[^/]+\/[^/]+\/locks\/|records\/[^/]+\/[^/]+\/(lock|progress)\.json$)/.test(key);
}

/** A recovery point as one copy of the vault has it. */
export interface FoundPoint {
  readonly backup: string;
  /** Undefined if the record is tampered with or not signed. */
  readonly record: BackupRecord | undefined;
  readonly replicated: boolean;
  /** Since when this copy is known to be complete. */
  readonly wholeSince: Date | undefined;
}

/** Retention of a plan in a copy: what any of the policies keeps. */
export interface KeptBy {
  readonly policies: readonly AppliedRetention[];
  readonly timeZone: string;
}

/** What the locks of one copy depend on besides its recovery points. */
export interface LockScopeContext {
  readonly keys: VaultKeys;
  /** Retention of a plan; undefined for a plan that holdfast.yaml does not name. */
  readonly retentionOf: (plan: string) => KeptBy | undefined;
  /** When the pass began. */
  readonly began: Date;
  /** Namespaces of all repositories in the copy. */
  readonly repositories: readonly string[];
}

/** What a pass over one copy locks. */
export interface LockScope {
  /** Recovery points that are kept, and were complete when the pass began, so that their lock is certain when it ends. */
  readonly kept: readonly string[];
  /** Sorted; no prefix contains another. */
  readonly prefixes: readonly string[];
}

/**
 * What must be locked in a copy: all objects of the recovery points that the policy keeps, and complete repositories, because
 * a pack does not name the snapshots that need it. Unsigned records do not count for retention, because forged ones could
 * displace genuine ones. Their objects stay locked, and so do all repositories, because such a record may refer to any.
 */
export function lockScope(
  found: readonly FoundPoint[],
  { keys, retentionOf, began, repositories }: LockScopeContext,
): LockScope {
  const doubtful = found.filter((p) => p.record === undefined);
  const kept = keptOf(found, retentionOf, began);
  const namespaces =
    doubtful.length > 0
      ? repositories
      : kept.flatMap((p) => snapshotsIn(p.record as BackupRecord).map((s) => s.namespace));
  const prefixes = [
    ...[...kept, ...doubtful].flatMap(({ backup }) => [keys.records.dir(backup), keys.velero.dir(backup)]),
    ...namespaces.map((namespace) => `${keys.restic.repository(namespace)}/`),
  ];
  return {
    kept: kept.filter((p) => p.wholeSince !== undefined && p.wholeSince <= began).map((p) => p.backup),
    prefixes: [...new Set(prefixes)].sort(),
  };
}

/**
 * Applies retention per plan, by the rules of a prune. Of a plan that holdfast.yaml does not name, nothing is locked again:
 * nothing removes its recovery points either, and compliance locks could otherwise never end.
 */
function keptOf(
  found: readonly FoundPoint[],
  retentionOf: (plan: string) => KeptBy | undefined,
  began: Date,
): FoundPoint[] {
  const plans = Map.groupBy(
    found.filter((p) => p.record !== undefined),
    (p) => parseBackupName(p.backup)?.plan ?? '',
  );
  return [...plans].flatMap(([plan, points]) => {
    const by = retentionOf(plan);
    if (!by) return [];
    // Without the existing locks: a recovery point that is kept only by its lock must not be locked again.
    const seen = points.map(({ backup, record, replicated }) =>
      pointOf(backup, factsOf(record as BackupRecord), { replicated, signed: true }),
    );
    const keep = new Set(
      by.policies
        .flatMap((policy) => decideRetention(seen, policy, by.timeZone, began))
        .filter((d) => d.keep)
        .map((d) => d.backup),
    );
    return points.filter((p) => keep.has(p.backup));
  });
}
