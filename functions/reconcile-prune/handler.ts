import * as z from 'zod/mini';
import { getJson, putJson } from '../adapters/s3/documents.ts';
import { SYSTEM_NAMESPACE } from '../contract/names.ts';
import { type LoopState, PruneRef } from '../contract/states.ts';
import { lookOnce } from '../core/job-loop.ts';
import type { ResticStep } from '../core/job-spec.ts';
import { PrunePlan } from '../core/prune.ts';
import { repositoryUrl } from '../core/repository.ts';
import { forgetArgs, lastWords, unlockArgs } from '../core/restic.ts';
import { connectCluster, keys, primaryVault, replicaVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';

const PruneOutcome = z.object({ namespace: z.string(), ok: z.boolean(), message: z.string() });

/** One look at the Jobs that forget a prune run's snapshots, in the primary and then in the replica. */
export const handler = lambda('reconcile-prune', PruneRef, async ({ prune }, { now }): Promise<LoopState> => {
  const [primary, replica, k] = [primaryVault(), replicaVault(), keys()];
  const plan = await getJson(primary, PrunePlan, k.records.prune.plan(prune));
  const desired = plan.forget.map((f) => ({ ...f, id: f.namespace, gate: k.restic.repository(f.namespace) }));
  type Forget = (typeof desired)[number];
  const { jobs, vault } = settings();
  const jobFor = (work: Forget) => ({
    run: prune,
    id: work.id,
    namespace: SYSTEM_NAMESPACE,
    settings: jobs,
    steps: [
      ...stepsIn('primary', work, jobs.s3Endpoint, primary.bucket, vault.region),
      ...stepsIn(
        'replica',
        work,
        jobs.replicaS3Endpoint,
        replica.bucket,
        vault.replicaRegion,
        vault.continuous,
      ),
    ],
    capabilities: [],
  });
  const cluster = await connectCluster('backup', now);
  try {
    return await lookOnce(
      desired,
      resticJobs(cluster, {
        run: prune,
        use: 'prune',
        buckets: [primary.bucket, replica.bucket],
        now,
        jobFor,
      }),
      resultsIn<Forget>(
        primary,
        primary,
        k.records.prune.jobDir(prune),
        async (work, end) => {
          const ok = end.exitCode === 0;
          await putJson(primary, k.records.prune.job(prune, work.id), {
            namespace: work.namespace,
            ok,
            message: ok ? 'forgotten' : (end.message ?? lastWords(end.log)),
          });
          return !ok;
        },
        (body) => !PruneOutcome.parse(JSON.parse(body.toString('utf8'))).ok,
      ),
      loopOptions(),
    );
  } finally {
    await cluster.close();
  }
});

/** What is done in one copy. A prune needs the repository for itself: a lock of a Job that was killed would keep it out. */
function stepsIn(
  copy: string,
  { gate, snapshots }: { readonly gate: string; readonly snapshots: readonly string[] },
  endpoint: string,
  bucket: string,
  region: string,
  replicated = false,
): ResticStep[] {
  const at = { repository: repositoryUrl(endpoint, bucket, gate), region };
  return [
    { ...at, name: `unlock-${copy}`, args: unlockArgs(replicated) },
    { ...at, name: copy, args: forgetArgs(snapshots) },
  ];
}
