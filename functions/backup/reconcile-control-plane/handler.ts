import { findJson, getJson } from '../../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../../contract/states.ts';
import { ControlPlaneOutcome, controlPlaneRun } from '../../core/backup/control-plane.ts';
import { Work } from '../../core/backup/record.ts';
import { clusterKeys, copies, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { madeObjects } from '../../runtime/jobs/made-objects.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { withSnapshotInVault } from '../claimed-snapshot.ts';
import { controlPlaneJob, itemsOf, outcomeOf } from './control-plane-job.ts';

const NOTHING: LoopState = { running: 0, done: 0, failed: 0, waitSeconds: 0 };

/** Reconciles the Jobs of etcd and of the control-plane nodes once. The snapshot Job starts once the leader is known. */
export const handler = lambdaHandler(
  'reconcile-control-plane',
  BackupName,
  async ({ backup }, { now }): Promise<LoopState> => {
    const vault = primaryVault();
    const keys = clusterKeys();
    const work = await getJson(vault, Work, keys.records.work(backup));
    const { controlPlane } = work;
    if (!controlPlane) return NOTHING;
    const keyOf = (id: string) => keys.records.controlPlane(backup, id);
    const outcome = (id: string) => findJson(vault, ControlPlaneOutcome, keyOf(id));
    const { state } = await withCluster('backup', now, (cluster) =>
      reconcileJobs(jobsContext(cluster, now), {
        run: controlPlaneRun(backup),
        made: madeObjects({ cluster, vault, now }, keys.runs.dir(controlPlaneRun(backup))),
        use: 'backup',
        buckets: [vault.bucket],
        repositories: vault,
        // The snapshot waits for the leader, and the scratch server for the snapshot.
        items: async () =>
          itemsOf(controlPlane, keys, {
            leader: (await outcome('etcd-status'))?.endpoint,
            taken: await outcome('etcd'),
          }),
        jobFor: (item, init) =>
          controlPlaneJob(
            { settings: settings(), run: work, work: controlPlane, copy: copies().primary },
            item,
            init,
          ),
        outcomeOf: (item, end) => withSnapshotInVault(vault, item.repository, outcomeOf(item, end)),
        results: {
          vault,
          dir: keys.records.controlPlaneDir(backup),
          keyOf,
          schema: ControlPlaneOutcome,
          failed: (o) => o.result === 'failed',
        },
      }),
    );
    return state;
  },
);
