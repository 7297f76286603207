import { findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import { CONTROL_PLANE } from '../../core/backup/control-plane.ts';
import { Work } from '../../core/backup/record.ts';
import {
  type CopyPlan,
  type RepositoryKeeps,
  removedFrom,
  withoutNamed,
} from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { type FoundBackup, namesItsSnapshots, type PruneContext } from './points.ts';
import { type LookedAt, lookAtSnapshots } from './snapshots.ts';

/** Adds the orphaned snapshots of both copies, and takes out whatever a record names that stays. */
export async function withSnapshots(
  context: PruneContext,
  found: readonly FoundBackup[],
  plans: PerCopy<CopyPlan>,
  graceDays: number,
): Promise<{ readonly plans: PerCopy<CopyPlan>; keeps(namespace: string): RepositoryKeeps }> {
  const removed = {
    primary: new Set(removedFrom(plans.primary)),
    replica: new Set(removedFrom(plans.replica)),
  };
  const stays = (copy: CopyName) => found.filter((f) => f[copy] && !removed[copy].has(f.backup));
  const namesOf = (backups: readonly FoundBackup[]) => backups.map((f) => f.backup);
  const anywhere = new Set(COPIES.flatMap((copy) => namesOf(stays(copy))));
  // A failed backup has its record in the primary alone, and its snapshots may have been copied.
  const gone = COPIES.flatMap((copy) => [...removed[copy]]).filter((backup) => !anywhere.has(backup));
  const unnamed = COPIES.flatMap((copy) => removedUnnamed(plans[copy], copy, found));
  const suspects = new Set(await namespacesOf(context.copies, context.keys, unnamed));
  const looked = {} as Record<CopyName, LookedAt>;
  const both = { ...plans } as Record<CopyName, CopyPlan>;
  for (const copy of COPIES) {
    const here = stays(copy);
    const named = namedBy(copy, here);
    const plan = plans[copy];
    looked[copy] = await lookAtSnapshots({
      ...context,
      copy,
      named,
      going: new Set(plan.forget.flatMap((f) => f.snapshots)),
      recorded: {
        removed: new Set([...removed[copy], ...gone]),
        here: new Set(namesOf(here)),
        anywhere,
        decidedAt: context.now,
      },
      suspects,
      unreadable: namesOf(here.filter((f) => f[copy] === 'unreadable')),
      graceDays,
    });
    both[copy] = {
      ...plan,
      forget: withoutNamed([...plan.forget, ...looked[copy].orphans], named),
      unread: looked[copy].unread,
    };
  }
  const kept = (copy: CopyName, namespace: string) => [...(looked[copy].kept.get(namespace) ?? [])];
  return { plans: both, keeps: (of) => ({ primary: kept('primary', of), replica: kept('replica', of) }) };
}

/** All snapshots that records of a copy name, signed or not. */
function namedBy(copy: CopyName, found: readonly FoundBackup[]): Set<string> {
  const named = new Set<string>();
  for (const { [copy]: record } of found)
    if (record && record !== 'unreadable') for (const { snapshot } of record.snapshots) named.add(snapshot);
  return named;
}

/** Backups removed from a copy that have no trusted record to name their snapshots. */
function removedUnnamed(plan: CopyPlan, copy: CopyName, found: readonly FoundBackup[]): string[] {
  const named = new Set(found.filter((f) => namesItsSnapshots(f[copy])).map((f) => f.backup));
  return [
    ...plan.decisions.filter((d) => !d.keep && !named.has(d.backup)),
    ...plan.orphans.filter((o) => o.remove),
  ].map((d) => d.backup);
}

/** Namespaces in whose repositories such backups may have snapshots, from their work lists. */
async function namespacesOf(
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  names: readonly string[],
): Promise<string[]> {
  const namespaces: string[] = [];
  for (const name of new Set(names)) {
    const key = keys.records.work(name);
    const work = (await findJson(primary, Work, key)) ?? (await findJson(replica, Work, key));
    namespaces.push(
      ...(work?.volumes ?? []).map((v) => v.namespace),
      ...(work?.controlPlane ? [CONTROL_PLANE] : []),
    );
  }
  return namespaces;
}
