import { exec } from '../../adapters/kubernetes/exec.ts';
import { getJson } from '../../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../../contract/states.ts';
import { Work } from '../../core/backup/record.ts';
import { clusterKeys, copies, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { volumePorts } from './ports.ts';
import { reconcileVolumes } from './reconcile.ts';

/** Reconciles the backup's volumes once: starts missing snapshots and Jobs, stores results, writes the progress. */
export const handler = lambdaHandler(
  'reconcile-volumes',
  BackupName,
  async ({ backup }, { now }): Promise<LoopState> => {
    const vault = primaryVault();
    const keys = clusterKeys();
    const work = await getJson(vault, Work, keys.records.work(backup));
    return withCluster('backup', now, (cluster) => {
      const ports = volumePorts({ jobs: jobsContext(cluster, now), vault, keys, exec }, work);
      return reconcileVolumes(ports, work, { settings: settings(), keys, copy: copies().primary, now });
    });
  },
);
