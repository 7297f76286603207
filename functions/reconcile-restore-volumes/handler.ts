import { putJson } from '../adapters/s3/documents.ts';
import { type LoopState, RestoreName } from '../contract/states.ts';
import { lookOnce } from '../core/job-loop.ts';
import { VolumeOutcome } from '../core/record.ts';
import { keys, primaryVault, replicaVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { holderOf } from '../runtime/holder.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { getApplied, getRestore } from '../runtime/restore-documents.ts';
import { settings } from '../runtime/settings.ts';
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
    const vault = primaryVault();
    const k = keys();
    const plan = await getRestore(vault, k, restore);
    const from = plan.from === 'replica' ? 'replica' : 'primary';
    const source = from === 'primary' ? vault : replicaVault();
    const repositoryOf = (namespace: string) => k.restic.repository(namespace);
    const { files, namespaceMapping } = plan.options;
    const desired = files
      ? filesToRestore(plan.volumes, files, restore, repositoryOf, namespaceMapping)
      : volumesToFill(plan.volumes, await getApplied(vault, k, restore, 1), repositoryOf, namespaceMapping);
    return withCluster('restore', now, (cluster) =>
      lookOnce(
        desired,
        resticJobs(cluster, {
          run: restore,
          use: 'restore',
          buckets: [source.bucket],
          now,
          jobFor: async (v: RestoreWork) => {
            const holder = v.only && (await holderOf(cluster, { namespace: v.into, pvc: v.pvc }));
            return restoreJob(settings(), restore, v, from, source.bucket, holder);
          },
        }),
        resultsIn<RestoreWork>(
          vault,
          source,
          k.restores.volumeDir(restore),
          async (v, end) => {
            const outcome = restoredOutcome(v, end);
            await putJson(vault, k.restores.volume(restore, v.id), outcome);
            return outcome.result === 'failed';
          },
          (body) => VolumeOutcome.parse(JSON.parse(body.toString('utf8'))).result === 'failed',
        ),
        loopOptions(),
      ),
    );
  },
);
