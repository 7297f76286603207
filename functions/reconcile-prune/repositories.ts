import { createJson, releaseLease } from '../adapters/s3/documents.ts';
import { COPIES, type Copy } from '../core/copies.ts';
import type { JobEnd } from '../core/job-loop.ts';
import { orphanSnapshots, type PrunePlan, removedFrom } from '../core/prune.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';
import type { Copies } from '../runtime/copies.ts';
import { type PruneItem, seenIn } from './repository-job.ts';

/** Buckets of the copies that have a repository: one that was never copied is not in the replica. */
export async function bucketsWith(
  copies: Copies,
  repository: string,
): Promise<Partial<Record<Copy, string>>> {
  const buckets: Partial<Record<Copy, string>> = {};
  for (const copy of COPIES)
    if (await copies[copy].exists(`${repository}/config`)) buckets[copy] = copies[copy].bucket;
  return buckets;
}

/** Snapshots of no record among those that a Job saw; undefined of a Job that did not look. */
export async function orphansOf(
  copies: Copies,
  k: VaultKeys,
  plan: PrunePlan,
  item: PruneItem,
  end: JobEnd,
  now: Date,
  graceDays: number,
): Promise<Record<Copy, string[]> | undefined> {
  if (!item.lists || end.exitCode !== 0) return undefined;
  const orphans: Record<Copy, string[]> = { primary: [], replica: [] };
  const recorded = new Map<string, Record<Copy, boolean>>();
  const look = async (backup: string) => {
    const key = k.records.record(backup);
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

/** Nothing of the run is left to do: the next one may begin. */
export async function endRun(vault: Vault, k: VaultKeys, prune: string): Promise<void> {
  await createJson(vault, k.records.prune.done(prune), { prune, by: prune });
  await releaseLease(vault, k.leases.prune, prune);
}
