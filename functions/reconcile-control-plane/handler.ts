import { findJson, getJson, putJson } from '../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../contract/states.ts';
import { ControlPlaneOutcome, controlPlaneRun } from '../core/control-plane.ts';
import { lookOnce } from '../core/job-loop.ts';
import { Work } from '../core/record.ts';
import { keys, primaryVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { type ControlPlaneItem, controlPlaneJob, itemsOf, outcomeOf } from './control-plane-job.ts';

const NOTHING: LoopState = { running: 0, done: 0, failed: 0, waitSeconds: 0 };

/** One look at the Jobs of etcd and of the control-plane nodes. The snapshot is asked for when the leader is known. */
export const handler = lambda(
  'reconcile-control-plane',
  BackupName,
  async ({ backup }, { now }): Promise<LoopState> => {
    const vault = primaryVault();
    const k = keys();
    const work = await getJson(vault, Work, k.records.work(backup));
    const { controlPlane } = work;
    if (!controlPlane) return NOTHING;
    const outcome = (id: string) => findJson(vault, ControlPlaneOutcome, k.records.controlPlane(backup, id));
    const items = async () =>
      itemsOf(controlPlane, k, {
        leader: (await outcome('etcd-status'))?.endpoint,
        taken: await outcome('etcd'),
      });
    return withCluster('backup', now, async (cluster) => {
      const jobs = resticJobs<ControlPlaneItem>(cluster, {
        run: controlPlaneRun(backup),
        use: 'backup',
        buckets: [vault.bucket],
        now,
        jobFor: (item, init) => controlPlaneJob(settings(), work, controlPlane, item, vault.bucket, init),
      });
      const results = resultsIn<ControlPlaneItem>(
        vault,
        vault,
        k.records.controlPlaneDir(backup),
        async (item, end) => {
          const ended = outcomeOf(item, end);
          await putJson(vault, k.records.controlPlane(backup, item.id), ended);
          return ended.result === 'failed';
        },
        (body) => ControlPlaneOutcome.parse(JSON.parse(body.toString('utf8'))).result === 'failed',
      );
      const before = await items();
      const state = await lookOnce(before, jobs, results, loopOptions());
      const after = await items();
      // What was waited for has just become known: the leader, or its snapshot.
      return after.length > before.length ? await lookOnce(after, jobs, results, loopOptions()) : state;
    });
  },
);
