import { getJson, putJson } from '../../adapters/s3/documents.ts';
import type { RestoreName } from '../../contract/states.ts';
import { itemKey } from '../../core/restore/restore-plan.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Vault } from '../../ports/vault.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { archivedObjects } from '../archived-objects.ts';
import {
  type AppliedItem,
  getApplied,
  getItems,
  getRestore,
  type ItemResult,
  keyOfApplied,
} from '../documents.ts';
import type { RestoreSource } from '../source.ts';
import { inspect } from './inspect.ts';
import { type RestoreSummary, reportOf } from './report.ts';

/** A workload that is not ready after this long is reported as such. */
const READY_SECONDS = 600;
const WAIT_SECONDS = 3;

/** Results after which an object is in the cluster as planned. */
const IN_PLACE: readonly ItemResult[] = ['created', 'updated', 'unchanged'];

/** What a restore is verified with. */
export interface VerifyContext {
  /** The primary copy, which has the documents and the lease of restores. */
  readonly vault: Vault;
  readonly keys: VaultKeys;
  readonly now: Date;
  /** Where a restore reads, by the name of its source. */
  sourceOf(from: string): RestoreSource;
  /** Calls `work` with a client that has the identity for restores. */
  withCluster<T>(work: (cluster: KubeClient) => Promise<T>): Promise<T>;
}

/** Returned while workloads are not ready: the function is to be called again. */
export interface RestoreWait extends RestoreName {
  readonly waitSeconds: number;
  readonly notReady: number;
}

/**
 * Checks restored objects for drift. While workloads are not ready and there is time, it returns when to call again; then
 * it writes the report and releases the lease.
 */
export async function verifyRestore(
  context: VerifyContext,
  { restore, backup }: RestoreName,
): Promise<RestoreWait | RestoreSummary> {
  const { vault, keys, now, sourceOf, withCluster } = context;
  const plan = await getRestore(vault, keys, restore);
  const applied: AppliedItem[] = [
    ...(await getApplied(vault, keys, restore, 1)),
    ...(await getApplied(vault, keys, restore, 2)),
  ];
  const there = new Set(applied.filter((a) => IN_PLACE.includes(a.result)).map(keyOfApplied));
  const items = (await getItems(vault, keys, restore)).filter((i) => there.has(itemKey(i)));
  const bodies = await archivedObjects(sourceOf(plan.from), plan, items);
  const of = { backup, restore, options: plan.options };
  const seen = await withCluster((cluster) => inspect(cluster, items, bodies, of));
  const seconds = Math.round((now.getTime() - Date.parse(plan.startedAt)) / 1000);
  if (seen.notReady.length > 0 && seconds < READY_SECONDS)
    return { restore, backup, waitSeconds: WAIT_SECONDS, notReady: seen.notReady.length };
  const volumes = await volumesOf(context, restore);
  const { report, summary } = reportOf(plan, { ...seen, applied, volumes, seconds });
  await putJson(vault, keys.restores.report(restore), report);
  await releaseLease(vault, keys.leases.restore, restore);
  return summary;
}

async function volumesOf({ vault, keys }: VerifyContext, restore: string): Promise<VolumeOutcome[]> {
  const volumes: VolumeOutcome[] = [];
  for await (const o of vault.list(keys.restores.volumeDir(restore)))
    volumes.push(await getJson(vault, VolumeOutcome, o.key));
  return volumes;
}
