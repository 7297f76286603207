import * as z from 'zod/mini';
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

const notes = z._default(z.array(z.string()), []);

/** Decisions about one copy. */
export const CopyPlan = z.object({
  decisions: z.array(Decision),
  orphans: z.array(Orphan),
  /** Backups whose record an earlier, interrupted run has removed. */
  begun: z.array(z.string()),
  /** Every snapshot that is removed: those that records name, and orphaned ones by the backup that their tag names. */
  forget: z.array(Forget),
  /** What could not be read and is kept therefore, a sentence each. */
  unread: notes,
});
export type CopyPlan = z.infer<typeof CopyPlan>;

/**
 * What one prune run removes, written before the first removal, because afterwards no record names the snapshots.
 * Version 2 also had repositories to search for orphaned snapshots: of an open run, these are decided anew.
 */
export const PrunePlan = z.object({
  version: z.union([z.literal(2), z.literal(3)]),
  plan: z.string(),
  prune: z.string(),
  decidedAt: z.string(),
  /** Earlier, interrupted runs. This run completes them. */
  finishes: z.array(z.string()),
  primary: CopyPlan,
  replica: CopyPlan,
  /** Backups of plans that holdfast.yaml does not name, a sentence for each plan. */
  unknownPlans: notes,
});
export type PrunePlan = z.infer<typeof PrunePlan>;

/** The snapshots of a repository that records name and that must be there after the run's Job, by copy. */
export const RepositoryKeeps = z.object({ primary: z.array(ResticId), replica: z.array(ResticId) });
export type RepositoryKeeps = z.infer<typeof RepositoryKeeps>;

/** What is so in a repository after its Job. */
export const PruneOutcome = z.object({ namespace: z.string(), ok: z.boolean(), message: z.string() });
export type PruneOutcome = z.infer<typeof PruneOutcome>;

/** Backups that a run removes from a copy. */
export const removedFrom = ({ decisions, orphans, begun }: CopyPlan): string[] => [
  ...begun,
  ...decisions.filter((d) => !d.keep).map((d) => d.backup),
  ...orphans.filter((o) => o.remove).map((o) => o.backup),
];

/** Namespaces whose repositories a run processes. */
export const repositoriesOf = ({ primary, replica }: PrunePlan): string[] =>
  [...new Set([...primary.forget, ...replica.forget].map((f) => f.namespace))].sort();

/** A restic snapshot, and the namespace of its repository. */
export interface NamedSnapshot {
  readonly namespace: string;
  readonly snapshot: string;
}

/** Snapshots by the backup that they belong to and their repository. */
export function toForget(
  backups: readonly { readonly backup: string; readonly snapshots: readonly NamedSnapshot[] }[],
): Forget[] {
  return backups.flatMap(({ backup, snapshots }) => {
    const byNamespace = Map.groupBy(snapshots, (s) => s.namespace);
    return [...byNamespace].map(([namespace, found]) => ({
      backup,
      namespace,
      snapshots: found.map((s) => s.snapshot),
    }));
  });
}

/**
 * The last filter of a run: no snapshot that a record names which stays in the copy, whoever wrote that record and whatever
 * wanted to remove the snapshot.
 */
export function withoutNamed(forget: readonly Forget[], named: ReadonlySet<string>): Forget[] {
  return forget
    .map((f) => ({ ...f, snapshots: f.snapshots.filter((id) => !named.has(id)) }))
    .filter((f) => f.snapshots.length > 0);
}

/** Snapshots of one repository that a run removes from a copy. Their ids are arguments of one Job, which etcd must hold. */
export const MAX_FORGET = 4000;

/**
 * The backups that a run leaves to the next one, because it would otherwise remove too many snapshots of a repository. The
 * oldest go first. `begun`: what an interrupted run had begun to remove. `backups`: those to remove, newest first.
 */
export function leftForLater(
  backups: readonly { readonly backup: string; readonly snapshots: readonly NamedSnapshot[] }[],
  begun: readonly Forget[],
  atMost = MAX_FORGET,
): Set<string> {
  const counts = new Map<string, number>();
  const add = (namespace: string, n: number) => counts.set(namespace, (counts.get(namespace) ?? 0) + n);
  for (const { namespace, snapshots } of begun) add(namespace, snapshots.length);
  const later = new Set<string>();
  for (const { backup, snapshots } of backups.toReversed()) {
    const own = Map.groupBy(snapshots, (s) => s.namespace);
    const fits = ([namespace, found]: readonly [string, readonly unknown[]]) =>
      (counts.get(namespace) ?? 0) === 0 || (counts.get(namespace) ?? 0) + found.length <= atMost;
    if (later.size === 0 && [...own].every(fits)) for (const [name, found] of own) add(name, found.length);
    else later.add(backup);
  }
  return later;
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
