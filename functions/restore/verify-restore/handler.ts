import { getJson, putJson } from '../../adapters/s3/documents.ts';
import { isCopyName } from '../../contract/copies.ts';
import { RestoreName } from '../../contract/states.ts';
import { itemKey } from '../../core/restore/restore-plan.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
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
import { inspect } from './inspect.ts';

/** A workload that is not ready after this long is reported as such. */
const READY_SECONDS = 600;

const isFreshClaim = (a: AppliedItem) =>
  a.groupResource === 'persistentvolumeclaims' && a.result === 'created';

/** Results after which an object is in the cluster as the restore wants it. */
const IN_PLACE: ItemResult[] = ['created', 'updated', 'unchanged'];

/** Compares what was restored with what was asked for; waits for workloads; writes the report and frees the cluster. */
export const handler = lambda('verify-restore', RestoreName, async ({ restore, backup }, { now }) => {
  const vault = primaryVault();
  const k = keys();
  const plan = await getRestore(vault, k, restore);
  const applied = [...(await getApplied(vault, k, restore, 1)), ...(await getApplied(vault, k, restore, 2))];
  const there = new Set(applied.filter((a) => IN_PLACE.includes(a.result)).map(keyOfApplied));
  const items = (await getItems(vault, k, restore)).filter((i) => there.has(itemKey(i)));
  const bodies = await archivedObjects(plan, items);
  const { notReady, differing } = await withCluster('restore', now, (cluster) =>
    inspect(cluster, items, bodies, plan.options, { backup, restore }),
  );
  const seconds = Math.round((now.getTime() - Date.parse(plan.startedAt)) / 1000);
  if (notReady.length > 0 && seconds < READY_SECONDS)
    return { restore, backup, waitSeconds: 3, notReady: notReady.length };
  const volumes: VolumeOutcome[] = [];
  for await (const o of vault.list(k.restores.volumeDir(restore)))
    volumes.push(await getJson(vault, VolumeOutcome, o.key));
  const failed = applied.filter((a) => a.result === 'failed');
  const held = applied.filter((a) => a.result === 'held');
  const skippedVolumes = plan.volumes
    .filter((v) => !volumes.some((done) => done.id === v.id))
    .map((v) => v.id);
  // Velero's copies of volumes are not ours to read: their claims stay empty, which must not look like success.
  const foreign = plan.fillsVolumes && !isCopyName(plan.from);
  const emptyVolumes = foreign ? applied.filter(isFreshClaim).map((a) => `${a.namespace}.${a.name}`) : [];
  skippedVolumes.push(...emptyVolumes);
  const failedVolumes = volumes.filter((v) => v.result === 'failed');
  const whole =
    failed.length +
      held.length +
      notReady.length +
      differing.length +
      failedVolumes.length +
      skippedVolumes.length ===
    0;
  const phase = whole ? 'Completed' : 'PartiallyFailed';
  await putJson(vault, k.restores.report(restore), {
    restore,
    backup,
    phase,
    seconds,
    notReady,
    differing,
    volumes,
    skippedVolumes,
    items: applied,
  });
  await releaseLease(vault, k.leases.restore, restore);
  return {
    restore,
    backup,
    phase,
    waitSeconds: 0,
    seconds,
    created: applied.filter((a) => a.result === 'created').length,
    held: held.length,
    failed: failed.length,
    differing: differing.length,
    notReady: notReady.length,
    volumes: volumes.length,
    failedVolumes: failedVolumes.length + skippedVolumes.length,
  };
});
