import { getJson } from '../../adapters/s3/documents.ts';
import { WAIT_SECONDS } from '../../contract/restore-options.ts';
import type { RestoreName } from '../../contract/states.ts';
import { itemKey } from '../../core/restore/restore-plan.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Vault } from '../../ports/vault.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { archivedObjects } from '../archived-objects.ts';
import { getApplied, getItems, getRestore, type StoredRestore } from '../documents.ts';
import type { RestoreSource } from '../source.ts';
import { WINDOW_BYTES, windowsOf } from '../windows.ts';
import { type Inspection, inspect, nameOf } from './inspect.ts';
import { finalResults, type Restored, restoredItems } from './outcome.ts';
import { putReport, type RestoreSummary, reportOf } from './report.ts';
import { explain, findNotReady, type NotReady, notReadyInArchive } from './waiting.ts';
import { noteWritten, type Written } from './written.ts';

const APIS = 'apiservices.apiregistration.k8s.io';

/** Seconds between two looks at what is not ready. */
const PAUSE_SECONDS = 3;

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
  /** Bytes of archived objects that are held at once; absent: what the function has memory for. */
  readonly windowBytes?: number;
}

/** Returned while restored objects are not ready: the function is to be called again. */
export interface RestoreWait extends RestoreName {
  readonly waitSeconds: number;
  readonly notReady: number;
}

/**
 * Looks whether restored objects are ready. While they are not and there is time, it returns when to call again. Then it compares
 * every object, writes the report and releases the lease.
 */
export async function verifyRestore(
  context: VerifyContext,
  { restore, backup }: RestoreName,
): Promise<RestoreWait | RestoreSummary> {
  const { vault, keys, now, withCluster } = context;
  const plan = await getRestore(vault, keys, restore);
  const items = await getItems(vault, keys, restore);
  const applied = finalResults(items, [
    ...(await getApplied(vault, keys, restore, 1)),
    ...(await getApplied(vault, keys, restore, 2)),
  ]);
  const restored = restoredItems(items, applied);
  const seen = await withCluster((cluster) => look(context, plan, restored, cluster));
  if ('waitSeconds' in seen) return { restore, backup, ...seen };
  const seconds = Math.round((now.getTime() - Date.parse(plan.startedAt)) / 1000);
  const volumes = await volumesOf(context, restore);
  const { report, summary } = reportOf(plan, { ...seen, applied, volumes, seconds });
  await putReport(vault, keys.restores.report(restore), report);
  await releaseLease(vault, keys.leases.restore, restore);
  return summary;
}

interface Look extends Inspection {
  readonly notReady: string[];
  readonly notReadyBefore: string[];
}

async function look(
  context: VerifyContext,
  plan: StoredRestore,
  restored: readonly Restored[],
  cluster: KubeClient,
): Promise<Look | Pick<RestoreWait, 'waitSeconds' | 'notReady'>> {
  const { vault, keys, now } = context;
  const unready = await findNotReady(cluster, restored);
  const written = await noteWritten(vault, keys.restores.written(plan.restore), async () => ({
    at: now.toISOString(),
    notReadyBefore: await unreadyBefore(context, plan, unready),
  }));
  const waiting = unready.filter(({ placed }) => !isExcused(placed, written));
  const waited = (now.getTime() - Date.parse(written.at)) / 1000;
  if (waiting.length > 0 && waited < (plan.options.waitSeconds ?? WAIT_SECONDS))
    return { waitSeconds: PAUSE_SECONDS, notReady: waiting.length };
  const compared = await compare(context, plan, restored, cluster);
  return {
    notReady: await explain(cluster, waiting),
    notReadyBefore: unready
      .filter(({ placed }) => isExcused(placed, written))
      .map(({ placed, reason }) => `${nameOf(placed.at)}: ${reason}`)
      .sort(),
    ...compared,
  };
}

const isExcused = ({ item }: NotReady['placed'], { notReadyBefore }: Written): boolean =>
  notReadyBefore.includes(itemKey(item));

/**
 * Objects that were not ready in the recovery point either, if this restore found them unchanged or they are aggregated APIs,
 * which others make ready: they are as they were.
 */
async function unreadyBefore(
  { sourceOf, windowBytes }: VerifyContext,
  plan: StoredRestore,
  unready: readonly NotReady<Restored>[],
): Promise<string[]> {
  const asTheyWere = unready
    .map(({ placed }) => placed)
    .filter(({ at, result }) => result.result === 'unchanged' || at.groupResource === APIS);
  const keys: string[] = [];
  for (const window of windowsOf(asTheyWere, windowBytes ?? WINDOW_BYTES)) {
    const items = window.map(({ item }) => item);
    const bodies = await archivedObjects(sourceOf(plan.from), plan, items);
    keys.push(...notReadyInArchive(items, bodies).map(itemKey));
  }
  return keys;
}

/** Compares all objects, window by window. */
async function compare(
  { sourceOf, windowBytes }: VerifyContext,
  plan: StoredRestore,
  restored: readonly Restored[],
  cluster: KubeClient,
): Promise<Inspection> {
  const { backup, restore, options, startedAt } = plan;
  const seen: Inspection = { differing: [], changedSince: [] };
  const sizes = sizesOf(restored);
  for (const window of windowsOf(restored, windowBytes ?? WINDOW_BYTES)) {
    const bodies = await archivedObjects(
      sourceOf(plan.from),
      plan,
      window.map(({ item }) => item),
    );
    const here = sizesOf(window);
    const isWhole = (type: string) => here.get(type) === sizes.get(type);
    const part = await inspect(cluster, window, bodies, { backup, restore, options, startedAt, isWhole });
    for (const line of part.differing) seen.differing.push(line);
    for (const change of part.changedSince) seen.changedSince.push(change);
  }
  seen.differing.sort();
  return seen;
}

/** The number of items of each type. */
function sizesOf(restored: readonly Restored[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { at } of restored) sizes.set(at.groupResource, (sizes.get(at.groupResource) ?? 0) + 1);
  return sizes;
}

async function volumesOf({ vault, keys }: VerifyContext, restore: string): Promise<VolumeOutcome[]> {
  const volumes: VolumeOutcome[] = [];
  for await (const o of vault.list(keys.restores.volumeDir(restore)))
    volumes.push(await getJson(vault, VolumeOutcome, o.key));
  return volumes;
}
