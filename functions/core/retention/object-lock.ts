import type { LockMode, ObjectLockSettings, Retention } from '../../contract/settings.ts';
import { parseBackupName } from '../backup/backup-name.ts';
import { type BackupRecord, snapshotsIn } from '../backup/record.ts';
import type { VaultKeys } from '../vault/vault-keys.ts';
import { decideRetention } from './retention.ts';

/** The lock of one version of an object. */
export interface ObjectRetention {
  readonly mode: LockMode;
  readonly until: Date;
}

const DAY_MS = 24 * 3600 * 1000;
const after = (at: Date, days: number): Date => new Date(at.getTime() + days * DAY_MS);

/** Until when whatever is kept is locked at the least, once a pass that began at an instant has seen it: half the period. */
export const lockedAtLeastUntil = (lock: ObjectLockSettings, began: Date): Date =>
  after(began, lock.days / 2);

/**
 * The lock that a version of something kept gets in place of the one it has; undefined while more than half of the period is
 * left. Always a later end. A version keeps its mode: S3 takes a change for a weakening, which nobody may do.
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

/** Keys below what is kept that may go: restic's locks, which backups remove, and what says how things are at the moment. */
export function isLocked(key: string): boolean {
  return !/^(restic\/[^/]+\/[^/]+\/locks\/|records\/[^/]+\/[^/]+\/(lock|progress)\.json$)/.test(key);
}

/** A recovery point as one copy of the vault has it. */
export interface FoundPoint {
  readonly backup: string;
  /** Absent when it is not what was signed, or is not signed at all. */
  readonly record: BackupRecord | undefined;
  readonly replicated: boolean;
  /** Since when this copy is known to have everything of it. */
  readonly wholeSince: Date | undefined;
}

/** What a plan keeps in a copy: what any of its policies wants there. */
export interface KeptBy {
  readonly policies: readonly Retention[];
  readonly timeZone: string;
}

/** What the locks of one copy depend on besides its recovery points. */
export interface LockScopeContext {
  readonly keys: VaultKeys;
  /** Retention of a plan; undefined for a plan that is no longer in holdfast.yaml. */
  readonly retentionOf: (plan: string) => KeptBy | undefined;
  /** When the pass began. */
  readonly began: Date;
  /** Namespaces of all repositories in the copy. */
  readonly repositories: readonly string[];
}

/** What a pass over one copy locks. */
export interface LockScope {
  /** Recovery points that the policy keeps and whose lock can be promised when the pass has ended. */
  readonly kept: readonly string[];
  /** Sorted, none within another. */
  readonly prefixes: readonly string[];
}

/**
 * What must be locked in a copy: everything of the recovery points that the policy keeps, and whole repositories, because a pack
 * does not say which snapshots need it. Records that nobody signed neither count (else forged ones would push the true ones out)
 * nor let go of anything: what is below their names stays locked, and with it every repository, for they may name any.
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

/** ObjectRetention decides for each plan; a plan that is not in holdfast.yaml any more has nobody who removes, so all of it is kept. */
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
    if (!by) return points;
    // Without their locks: what is kept only because it is locked must be let go when the lock ends.
    const seen = points.map(({ backup, record, replicated }) => ({
      backup,
      at: (parseBackupName(backup) as { at: Date }).at,
      phase: (record as BackupRecord).phase,
      replicated,
      signed: true,
      tags: record?.tags ?? [],
    }));
    const keep = new Set(
      by.policies
        .flatMap((policy) => decideRetention(seen, policy, by.timeZone, began))
        .filter((d) => d.keep)
        .map((d) => d.backup),
    );
    return points.filter((p) => keep.has(p.backup));
  });
}
