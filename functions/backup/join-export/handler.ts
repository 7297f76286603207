import { findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import { BackupName } from '../../contract/states.ts';
import { ResourceResult, Work } from '../../core/backup/record.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { joinShards } from '../export/export.ts';
import { ExportPlan } from '../export/plan.ts';

/** Makes one archive of the parts that the shards wrote, and takes the parts away once it is whole. */
export const handler = lambda('join-export', BackupName, async ({ plan: name, backup }, { now }) => {
  const vault = primaryVault();
  const k = keys();
  let result = await findJson(vault, ResourceResult, k.records.resources(backup));
  if (!result) {
    const started = performance.now();
    const work = await getJson(vault, Work, k.records.work(backup));
    const plan = await getJson(vault, ExportPlan, k.exports.plan(backup));
    result = await withCluster('backup', now, (cluster) =>
      joinShards({ cluster, vault, keys: k }, work, plan, started),
    );
    await putJson(vault, k.records.resources(backup), result);
  }
  const parts: string[] = [];
  for await (const { key } of vault.list(k.exports.dir(backup))) parts.push(key);
  if (parts.length > 0) await vault.remove(parts);
  return { plan: name, backup, shards: 0, items: result.items };
});
