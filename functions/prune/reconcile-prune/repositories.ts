import { createJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { orphanSnapshots, type PrunePlan, removedFrom } from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { type PruneItem, seenIn } from './repository-job.ts';

/** The copies that have a repository. One that was never replicated is not in the replica. */
export async function copiesWith(vaults: PerCopy<Vault>, repository: string): Promise<CopyName[]> {
  const found = COPIES.map(async (copy) =>
    (await vaults[copy].exists(`${repository}/config`)) ? [copy] : [],
  );
  return (await Promise.all(found)).flat();
}

/** What orphaned snapshots are decided with. */
export interface OrphansContext {
  readonly copies: PerCopy<Vault>;
  readonly keys: VaultKeys;
  readonly plan: PrunePlan;
  readonly now: Date;
  /** Age in days from which a snapshot without a record is orphaned. */
  readonly graceDays: number;
}

/** Orphaned snapshots among those that a Job listed, by copy; undefined if the Job listed none or failed. */
export async function orphansOf(
  { copies, keys, plan, now, graceDays }: OrphansContext,
  item: PruneItem,
  end: JobEnd,
): Promise<Record<CopyName, string[]> | undefined> {
  if (!item.lists || end.exitCode !== 0) return undefined;
  const orphans: Record<CopyName, string[]> = { primary: [], replica: [] };
  const recorded = new Map<string, Record<CopyName, boolean>>();
  const look = async (backup: string) => {
    const key = keys.records.record(backup);
    const known = recorded.get(backup) ?? {
      primary: await copies.primary.exists(key),
      replica: await copies.replica.exists(key),
    };
    recorded.set(backup, known);
    return known;
  };
  for (const copy of COPIES) {
    const forgotten = new Set(item.forget[copy]);
    const seen = (seenIn(copy, end) ?? []).filter((s) => !forgotten.has(s.id));
    const here = new Set<string>();
    const anywhere = new Set<string>();
    for (const { backup } of seen) {
      const known = await look(backup);
      if (known[copy]) here.add(backup);
      if (known.primary || known.replica) anywhere.add(backup);
    }
    const known = {
      removed: new Set(removedFrom(plan[copy])),
      here,
      anywhere,
      decidedAt: new Date(plan.decidedAt),
    };
    orphans[copy] = orphanSnapshots(seen, known, now, graceDays);
  }
  return orphans;
}

/** Marks a run as done and releases its lease. */
export async function endRun(vault: Vault, keys: VaultKeys, prune: string): Promise<void> {
  await createJson(vault, keys.records.prune.done(prune), { prune, by: prune });
  await releaseLease(vault, keys.leases.prune, prune);
}
