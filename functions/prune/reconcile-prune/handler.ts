import { findJson, getJson } from '../../adapters/s3/documents.ts';
import { COPIES } from '../../contract/copies.ts';
import { type LoopState, PruneRef } from '../../contract/states.ts';
import { PruneOutcome, PrunePlan, repositoriesOf } from '../../core/retention/prune.ts';
import { copies, keys, openCopies, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { copiesWith, endRun, orphansOf } from './repositories.ts';
import { itemsOf, outcomeOf, pruneJob } from './repository-job.ts';

/** One look at the Jobs that forget a prune run's snapshots; a second Job forgets those of no record, where there are any. */
export const handler = lambda('reconcile-prune', PruneRef, async ({ prune }, { now }): Promise<LoopState> => {
  const [places, vaults, k] = [copies(), openCopies(), keys()];
  const { primary } = vaults;
  const plan = await getJson(primary, PrunePlan, k.records.prune.plan(prune));
  const keyOf = (id: string) => k.records.prune.job(prune, id);
  const outcomes = async () => {
    const found = repositoriesOf(plan).map((id) => findJson(primary, PruneOutcome, keyOf(id)));
    return (await Promise.all(found)).filter((o) => o !== undefined);
  };
  const { state } = await withCluster('backup', now, (cluster) =>
    reconcileJobs(jobsContext(cluster, now), {
      run: prune,
      use: 'prune',
      buckets: COPIES.map((copy) => places[copy].bucket),
      repositories: primary,
      // What belongs to no record becomes known by the first Job of a repository.
      items: async () => itemsOf(plan, await outcomes(), k),
      jobFor: async (item) => {
        const held = await copiesWith(vaults, item.gate);
        return pruneJob(
          settings(),
          prune,
          item,
          held.map((copy) => places[copy]),
        );
      },
      outcomeOf: async (item, end) => {
        const { orphanGraceDays } = settings().prune;
        return outcomeOf(item, end, await orphansOf(vaults, k, plan, item, end, now, orphanGraceDays));
      },
      results: {
        vault: primary,
        dir: k.records.prune.jobDir(prune),
        keyOf,
        schema: PruneOutcome,
        failed: (o) => !o.ok,
      },
    }),
  );
  if (state.waitSeconds === 0 && state.failed === 0) await endRun(primary, k, prune);
  return state;
});
