import { createJson, findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import { BackupName } from '../../contract/states.ts';
import { ResourceResult, Work } from '../../core/backup/record.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { settings } from '../../runtime/settings.ts';
import { exportWhole } from '../export/export.ts';
import { ExportPlan, planExport } from '../export/plan.ts';

/**
 * Plans the export once. If one shard is enough, writes every object of the backup's namespaces into its archive.
 * Otherwise returns the number of `shards`; the list of shards is in the vault.
 */
export const handler = lambdaHandler(
  'export-resources',
  BackupName,
  async ({ plan: name, backup }, { now }) => {
    const vault = primaryVault();
    const keys = clusterKeys();
    const { exports: at, records } = keys;
    const done = await findJson(vault, ResourceResult, records.resources(backup));
    if (done) return { plan: name, backup, shards: 0, items: done.items };
    const started = performance.now();
    const work = await getJson(vault, Work, records.work(backup));
    return withCluster('backup', now, async (cluster) => {
      const plan =
        (await findJson(vault, ExportPlan, at.plan(backup))) ??
        (await planExport(cluster, work, settings().shardItems));
      const shards = plan.shards.length;
      if (shards > 1) {
        await createJson(vault, at.plan(backup), plan);
        await putJson(
          vault,
          at.shards(backup),
          plan.shards.map((_, shard) => ({ shard })),
        );
        return { plan: name, backup, shards, items: 0, bucket: vault.bucket, list: at.shards(backup) };
      }
      const result = await exportWhole({ cluster, vault, keys }, work, plan, started);
      await putJson(vault, records.resources(backup), result);
      return { plan: name, backup, shards: 0, items: result.items };
    });
  },
);
