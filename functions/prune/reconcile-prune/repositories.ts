import pMap from 'p-map';
import { createJson, findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { type PruneOutcome, RepositoryKeeps } from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { listSnapshots } from '../listed-snapshots.ts';
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
    const isThere = await presence(copies[copy], item.repository);
    const found = async (ids: readonly string[], wanted: boolean) => {
      const answers = await pMap(ids, isThere, { concurrency: CONCURRENCY });
      return ids.filter((_, i) => answers[i] === wanted);
    };
    return {
      copy,
      left: await found(item.forget[copy], true),
      lost: await found(keeps?.[copy] ?? [], false),
    };
  };
  return outcomeOf(item, end, await Promise.all(COPIES.map(look)));
}

const CONCURRENCY = 16;

/** Tells whether a copy of a repository has a snapshot. One by one only what a long listing does not say. */
async function presence(vault: Vault, repository: string): Promise<(id: string) => Promise<boolean>> {
  const { written, complete } = await listSnapshots(vault, repository);
  return async (id) => written.has(id) || (!complete && vault.exists(`${repository}/snapshots/${id}`));
}

/** Marks a run as done and releases its lease. */
export async function endRun(vault: Vault, keys: VaultKeys, prune: string): Promise<void> {
  await createJson(vault, keys.records.prune.done(prune), { prune, by: prune });
  await releaseLease(vault, keys.leases.prune, prune);
}
