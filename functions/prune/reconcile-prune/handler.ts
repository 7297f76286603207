import { findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import { COPIES } from '../../contract/copies.ts';
import { type LoopState, PruneRef } from '../../contract/states.ts';
import { lookOnce } from '../../core/jobs/job-loop.ts';
import { PruneOutcome, PrunePlan, repositoriesOf } from '../../core/retention/prune.ts';
import { connectCluster, copies, keys, openCopies } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { loopOptions, resticJobs, resultsIn } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { copiesWith, endRun, orphansOf } from './repositories.ts';
import { itemsOf, outcomeOf, type PruneItem, pruneJob } from './repository-job.ts';

/** One look at the Jobs that forget a prune run's snapshots; a second Job forgets those of no record, where there are any. */
export const handler = lambda('reconcile-prune', PruneRef, async ({ prune }, { now }): Promise<LoopState> => {
  const [places, vaults, k] = [copies(), openCopies(), keys()];
  const { primary } = vaults;
  const plan = await getJson(primary, PrunePlan, k.records.prune.plan(prune));
  const outcomes = async () => {
    const found = repositoriesOf(plan).map((id) =>
      findJson(primary, PruneOutcome, k.records.prune.job(prune, id)),
    );
    return (await Promise.all(found)).filter((o) => o !== undefined);
  };
  const cluster = await connectCluster('backup', now);
  const jobs = resticJobs<PruneItem>(cluster, {
    run: prune,
    use: 'prune',
    buckets: COPIES.map((copy) => places[copy].bucket),
    now,
    jobFor: async (item) => {
      const held = await copiesWith(vaults, item.gate);
      return pruneJob(
        settings(),
        prune,
        item,
        held.map((copy) => places[copy]),
      );
    },
  });
  const results = resultsIn<PruneItem>(
    primary,
    primary,
    k.records.prune.jobDir(prune),
    async (item, end) => {
      const orphans = await orphansOf(vaults, k, plan, item, end, now, settings().prune.orphanGraceDays);
      const outcome = outcomeOf(item, end, orphans);
      await putJson(primary, k.records.prune.job(prune, item.id), outcome);
      return !outcome.ok;
    },
    (body) => !PruneOutcome.parse(JSON.parse(body.toString('utf8'))).ok,
  );
  try {
    const before = itemsOf(plan, await outcomes(), k);
    const first = await lookOnce(before, jobs, results, loopOptions());
    const after = itemsOf(plan, await outcomes(), k);
    // What belongs to no record has just become known: it is still to be forgotten.
    const state = after.length > before.length ? await lookOnce(after, jobs, results, loopOptions()) : first;
    if (state.waitSeconds === 0 && state.failed === 0) await endRun(primary, k, prune);
    return state;
  } finally {
    await cluster.close();
  }
});
