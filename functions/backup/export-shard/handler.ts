import { getJson } from '../../adapters/s3/documents.ts';
import { ExportShardRequest } from '../../contract/states.ts';
import { Work } from '../../core/backup/record.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { exportShard } from '../export/export.ts';
import { ExportPlan } from '../export/plan.ts';

/** Exports one shard of a large cluster into a part of the archive. Idempotent. */
export const handler = lambdaHandler(
  'export-shard',
  ExportShardRequest,
  async ({ backup, shard }, { now }) => {
    const vault = primaryVault();
    const keys = clusterKeys();
    const work = await getJson(vault, Work, keys.records.work(backup));
    const plan = await getJson(vault, ExportPlan, keys.exports.plan(backup));
    const { items } = await withCluster('backup', now, (cluster) =>
      exportShard({ cluster, vault, keys }, work, plan, shard),
    );
    return { shard, items };
  },
);
