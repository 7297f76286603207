import { putJson } from '../../adapters/s3/documents.ts';
import { isCopyName } from '../../contract/copies.ts';
import { type LoopState, RestoreName } from '../../contract/states.ts';
import { lookOnce } from '../../core/jobs/job-loop.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import { connectCluster, copies, keys, openCopy } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { holderOf } from '../../runtime/jobs/holder.ts';
import { loopOptions, resticJobs, resultsIn } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { getApplied, getRestore } from '../documents.ts';
import {
  filesToRestore,
  type RestoreWork,
  restoredOutcome,
  restoreJob,
  volumesToFill,
} from './volume-job.ts';

/** One look at the restore's volume Jobs: each fills a claim that this restore created, before any workload exists. */
export const handler = lambda(
  'reconcile-restore-volumes',
  RestoreName,
  async ({ restore }, { now }): Promise<LoopState> => {
    const vault = openCopy('primary');
    const k = keys();
    const plan = await getRestore(vault, k, restore);
    const from = copies()[isCopyName(plan.from) ? plan.from : 'primary']; // of a Velero source, no volume is ours to fill
    const repositoryOf = (namespace: string) => k.restic.repository(namespace);
    const { files, namespaceMapping } = plan.options;
    const desired = files
      ? filesToRestore(plan.volumes, files, restore, repositoryOf, namespaceMapping)
      : volumesToFill(plan.volumes, await getApplied(vault, k, restore, 1), repositoryOf, namespaceMapping);
    const cluster = await connectCluster('restore', now);
    try {
      return await lookOnce(
        desired,
        resticJobs(cluster, {
          run: restore,
          use: 'restore',
          buckets: [from.bucket],
          now,
          jobFor: async (v: RestoreWork) => {
            const holder = v.only && (await holderOf(cluster, { namespace: v.into, pvc: v.pvc }));
            return restoreJob({ settings: settings().jobs, restore, from }, v, holder);
          },
        }),
        resultsIn<RestoreWork>(
          vault,
          openCopy(from.name),
          k.restores.volumeDir(restore),
          async (v, end) => {
            const outcome = restoredOutcome(v, end);
            await putJson(vault, k.restores.volume(restore, v.id), outcome);
            return outcome.result === 'failed';
          },
          (body) => VolumeOutcome.parse(JSON.parse(body.toString('utf8'))).result === 'failed',
        ),
        loopOptions(),
      );
    } finally {
      await cluster.close();
    }
  },
);
