import { createJson, findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { type PruneOutcome, RepositoryKeeps } from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { type AfterJob, outcomeOf, type PruneItem } from './repository-job.ts';

/** The copies that have a repository. One that was never replicated is not in the replica. */
export async function copiesWith(vaults: PerCopy<Vault>, repository: string): Promise<CopyName[]> {
  const found = COPIES.map(async (copy) =>
    (await vaults[copy].exists(`${repository}/config`)) ? [copy] : [],
  );
  return (await Promise.all(found)).flat();
}

/** The items that have something to do: a repository that is in no copy has nothing to forget. */
export async function itemsWithRepository(
  vaults: PerCopy<Vault>,
  items: readonly PruneItem[],
): Promise<PruneItem[]> {
  const found = items.map(async (item) => {
    const copies = await copiesWith(vaults, item.repository);
    return copies.some((copy) => item.forget[copy].length > 0) ? [item] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Both copies of the vault, and the run whose Jobs are looked at. */
export interface RunContext {
  readonly copies: PerCopy<Vault>;
  readonly keys: VaultKeys;
  readonly prune: string;
}

/** The outcome of a repository: what the vault says after its Job. */
export async function repositoryOutcome(
  { copies, keys, prune }: RunContext,
  item: PruneItem,
  end: JobEnd,
): Promise<PruneOutcome> {
  const key = keys.records.prune.keeps(prune, item.namespace);
  const keeps = await findJson(copies.primary, RepositoryKeeps, key);
  const look = async (copy: CopyName): Promise<AfterJob> => {
    const there = await snapshotsIn(copies[copy], item.repository);
    return {
      copy,
      left: item.forget[copy].filter((id) => there.has(id)),
      lost: (keeps?.[copy] ?? []).filter((id) => !there.has(id)),
    };
  };
  return outcomeOf(item, end, await Promise.all(COPIES.map(look)));
}

/** Ids of the snapshots that a copy of a repository has. */
async function snapshotsIn(vault: Vault, repository: string): Promise<Set<string>> {
  const dir = `${repository}/snapshots/`;
  const ids = new Set<string>();
  for await (const { key } of vault.list(dir)) ids.add(key.slice(dir.length));
  return ids;
}

/** Marks a run as done and releases its lease. */
export async function endRun(vault: Vault, keys: VaultKeys, prune: string): Promise<void> {
  await createJson(vault, keys.records.prune.done(prune), { prune, by: prune });
  await releaseLease(vault, keys.leases.prune, prune);
}
