import { createJson } from '../../adapters/s3/documents.ts';
import { messageOf } from '../../contract/holdfast-error.ts';
import { FailRestoreRequest } from '../../contract/states.ts';
import { restoreName } from '../../core/backup/backup-name.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { madeObjects, removeAll } from '../../runtime/jobs/made-objects.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { logger, logRun } from '../../runtime/logging.ts';

/** After a failure: removes the Jobs from the cluster, records the error and releases the lease. Restored objects stay. */
export const handler = lambdaHandler(
  'fail-restore',
  FailRestoreRequest,
  async ({ startedAt, execution, error, cause }, { now }) => {
    const restore = restoreName(new Date(startedAt), execution);
    logRun({ restore });
    const vault = primaryVault();
    const keys = clusterKeys();
    try {
      await withCluster('restore', now, (cluster) =>
        removeAll(madeObjects({ cluster, vault, now }, keys.runs.dir(restore))),
      );
    } catch (thrown) {
      logger.warn(`cannot remove the Jobs of ${restore}: ${messageOf(thrown)}`);
    }
    await createJson(vault, keys.restores.report(restore), { restore, phase: 'Failed', error, cause });
    await releaseLease(vault, keys.leases.restore, restore);
    return { restore, phase: 'Failed', error, cause };
  },
);
