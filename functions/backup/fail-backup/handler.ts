import { exec } from '../../adapters/kubernetes/exec.ts';
import { createJson, findJson } from '../../adapters/s3/documents.ts';
import { messageOf } from '../../contract/holdfast-error.ts';
import { FailBackupRequest } from '../../contract/states.ts';
import { controlPlaneRun } from '../../core/backup/control-plane.ts';
import { type BackupRecord, Work } from '../../core/backup/record.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { madeObjects, removeAll } from '../../runtime/jobs/made-objects.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { logger } from '../../runtime/logging.ts';
import { settings } from '../../runtime/settings.ts';
import { hookRunner } from '../hooks.ts';

/** After a failure: removes the backup's Jobs from the cluster, records the error and releases the plan's lease. */
export const handler = lambdaHandler(
  'fail-backup',
  FailBackupRequest,
  async ({ plan, backup, error, cause }, { now }) => {
    const vault = primaryVault();
    const keys = clusterKeys();
    const work = await findJson(vault, Work, keys.records.work(backup));
    try {
      await withCluster('backup', now, async (cluster) => {
        if (work?.hooks)
          await hookRunner((request) => exec(cluster, request), vault, keys, backup).undo(work.hooks);
        for (const run of [backup, controlPlaneRun(backup)])
          await removeAll(madeObjects({ cluster, vault, now }, keys.runs.dir(run)));
      });
    } catch (thrown) {
      // The cluster itself may have failed. Remaining Jobs end at their deadline and are removed by their TTL.
      logger.warn(`cannot remove the Jobs of ${backup}: ${messageOf(thrown)}`);
    }
    const record: BackupRecord = {
      version: 1,
      cluster: settings().cluster,
      plan,
      backup,
      phase: 'Failed',
      reasons: [`${error}: ${cause}`],
      startedAt: work?.startedAt ?? now.toISOString(),
      completedAt: now.toISOString(),
      ...(work?.tags && { tags: work.tags }),
      namespaces: work?.namespaces ?? [],
      volumes: [],
      excluded: work?.excluded ?? [],
      unprotected: work?.unprotected ?? [],
      objects: [],
    };
    await createJson(vault, keys.records.record(backup), record);
    await releaseLease(vault, keys.leases.backup(plan), backup);
    return { plan, backup, phase: 'Failed', error };
  },
);
