import { findJson, getJson, putJson } from '../adapters/s3/documents.ts';
import { BackupName } from '../contract/states.ts';
import { ResourceResult, Work } from '../core/record.ts';
import { connectCluster, keys, primaryVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { exportResources } from './export.ts';

/** Writes every API object of the backup's namespaces into its archive; returns counts. */
export const handler = lambda('export-resources', BackupName, async ({ backup }, { now }) => {
  const vault = primaryVault();
  const k = keys();
  const done = await findJson(vault, ResourceResult, k.records.resources(backup));
  if (done) return { items: done.items, bytes: done.bytes };
  const work = await getJson(vault, Work, k.records.work(backup));
  const cluster = await connectCluster('backup', now);
  try {
    const result = await exportResources(cluster, vault, k, work);
    await putJson(vault, k.records.resources(backup), result);
    return { items: result.items, bytes: result.bytes };
  } finally {
    await cluster.close();
  }
});
