import { findJson, getJson } from '../../adapters/s3/documents.ts';
import { COPIES } from '../../contract/copies.ts';
import { type LoopState, PruneRef } from '../../contract/states.ts';
import { PruneOutcome, PrunePlan, repositoriesOf } from '../../core/retention/prune.ts';
import { clusterKeys, copies, openCopies, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { madeObjects } from '../../runtime/jobs/made-objects.ts';
import { endStoppedPrunes } from '../../runtime/jobs/prune-jobs.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { copiesWith, endRun, orphansOf } from './repositories.ts';
import { itemsOf, outcomeOf, pruneJob } from './repository-job.ts';

/** Reconciles the Jobs that forget a prune run's snapshots once. A second Job forgets orphaned snapshots, if any. */
export const handler = lambdaHandler(
  'reconcile-prune',
  PruneRef,
  async ({ prune }, { now }): Promise<LoopState> => {
    const [endpoints, vaults, keys] = [copies(), openCopies(), clusterKeys()];
    const { primary } = vaults;
    const plan = await getJson(primary, PrunePlan, keys.records.prune.plan(prune));
    const keyOf = (id: string) => keys.records.prune.job(prune, id);
    const outcomes = async () => {
      const found = repositoriesOf(plan).map((id) => findJson(primary, PruneOutcome, keyOf(id)));
      return (await Promise.all(found)).filter((o) => o !== undefined);
    };
    const state = await withCluster('backup', now, async (cluster) => {
      const ending = await endStoppedPrunes({ cluster, vault: primary, now }, keys, prune);
      if (ending > 0) return { running: ending, done: 0, failed: 0, waitSeconds: 3 };
      const look = await reconcileJobs(jobsContext(cluster, now), {
        run: prune,
        made: madeObjects({ cluster, vault: primary, now }, keys.runs.dir(prune)),
        use: 'prune',
        buckets: COPIES.map((copy) => endpoints[copy].bucket),
        repositories: primary,
        // The first Job of a repository finds orphaned snapshots.
        items: async () => itemsOf(plan, await outcomes(), keys),
        jobFor: async (item) => {
          const held = await copiesWith(vaults, item.repository);
          return pruneJob(
            settings(),
            prune,
            item,
            held.map((copy) => endpoints[copy]),
          );
        },
        outcomeOf: async (item, end) => {
          const { orphanGraceDays: graceDays } = settings().prune;
          const context = { copies: vaults, keys, plan, now, graceDays };
          return outcomeOf(item, end, await orphansOf(context, item, end));
        },
        results: {
          vault: primary,
          dir: keys.records.prune.jobDir(prune),
          keyOf,
          schema: PruneOutcome,
          failed: (o) => !o.ok,
        },
      });
      return look.state;
    });
    if (state.waitSeconds === 0 && state.failed === 0) await endRun(primary, keys, prune);
    return state;
  },
);
