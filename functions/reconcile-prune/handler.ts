import { findJson, getJson, putJson } from '../adapters/s3/documents.ts';
import { type LoopState, PruneRef } from '../contract/states.ts';
import { lookOnce } from '../core/job-loop.ts';
import { PruneOutcome, PrunePlan, repositoriesOf } from '../core/prune.ts';
import { keys, primaryVault, replicaVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { bucketsWith, endRun, orphansOf } from './repositories.ts';
import { itemsOf, outcomeOf, type PruneItem, pruneJob } from './repository-job.ts';

/** One look at the Jobs that forget a prune run's snapshots; a second Job forgets those of no record, where there are any. */
export const handler = lambda('reconcile-prune', PruneRef, async ({ prune }, { now }): Promise<LoopState> => {
  const [copies, k] = [{ primary: primaryVault(), replica: replicaVault() }, keys()];
  const { primary, replica } = copies;
  const plan = await getJson(primary, PrunePlan, k.records.prune.plan(prune));
  const outcomes = async () => {
    const found = repositoriesOf(plan).map((id) =>
      findJson(primary, PruneOutcome, k.records.prune.job(prune, id)),
    );
    return (await Promise.all(found)).filter((o) => o !== undefined);
  };
  return withCluster('backup', now, async (cluster) => {
    const jobs = resticJobs<PruneItem>(cluster, {
      run: prune,
      use: 'prune',
      buckets: [primary.bucket, replica.bucket],
      now,
      jobFor: async (item) => pruneJob(settings(), prune, item, await bucketsWith(copies, item.gate)),
    });
    const results = resultsIn<PruneItem>(
      primary,
      primary,
      k.records.prune.jobDir(prune),
      async (item, end) => {
        const orphans = await orphansOf(copies, k, plan, item, end, now, settings().prune.orphanGraceDays);
        const outcome = outcomeOf(item, end, orphans);
        await putJson(primary, k.records.prune.job(prune, item.id), outcome);
        return !outcome.ok;
      },
      (body) => !PruneOutcome.parse(JSON.parse(body.toString('utf8'))).ok,
    );
    const before = itemsOf(plan, await outcomes(), k);
    const first = await lookOnce(before, jobs, results, loopOptions());
    const after = itemsOf(plan, await outcomes(), k);
    // What belongs to no record has just become known: it is still to be forgotten.
    const state = after.length > before.length ? await lookOnce(after, jobs, results, loopOptions()) : first;
    if (state.waitSeconds === 0 && state.failed === 0) await endRun(primary, k, prune);
    return state;
  });
});
