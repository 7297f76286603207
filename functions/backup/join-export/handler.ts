import { findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import { BackupName } from '../../contract/states.ts';
import { ResourceResult, Work } from '../../core/backup/record.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { joinShards } from '../export/export.ts';
import { ExportPlan } from '../export/plan.ts';

/** Joins the parts that the shards wrote into one archive, and removes the parts once it is complete. */
export const handler = lambdaHandler('join-export', BackupName, async ({ plan: name, backup }, { now }) => {
  const vault = primaryVault();
  const keys = clusterKeys();
  let result = await findJson(vault, ResourceResult, keys.records.resources(backup));
  if (!result) {
    const started = performance.now();
    const work = await getJson(vault, Work, keys.records.work(backup));
    const plan = await getJson(vault, ExportPlan, keys.exports.plan(backup));
    result = await withCluster('backup', now, (cluster) =>
      joinShards({ cluster, vault, keys }, work, plan, started),
    );
    await putJson(vault, keys.records.resources(backup), result);
  }
  const parts: string[] = [];
  for await (const { key } of vault.list(keys.exports.dir(backup))) parts.push(key);
  if (parts.length > 0) await vault.remove(parts);
  return { plan: name, backup, shards: 0, items: result.items };
});
