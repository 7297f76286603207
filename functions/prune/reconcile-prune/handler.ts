import { getJson } from '../../adapters/s3/documents.ts';
import { COPIES } from '../../contract/copies.ts';
import { type LoopState, PruneRef } from '../../contract/states.ts';
import { PruneOutcome, PrunePlan } from '../../core/retention/prune.ts';
import { clusterKeys, copies, openCopies, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { madeObjects } from '../../runtime/jobs/made-objects.ts';
import { endStoppedPrunes } from '../../runtime/jobs/prune-jobs.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { copiesWith, endRun, itemsWithRepository, repositoryOutcome } from './repositories.ts';
import { itemsOf, pruneJob } from './repository-job.ts';

/** Reconciles the Jobs that forget a prune run's snapshots once. */
export const handler = lambdaHandler(
  'reconcile-prune',
  PruneRef,
  async ({ prune }, { now }): Promise<LoopState> => {
    const [endpoints, vaults, keys] = [copies(), openCopies(), clusterKeys()];
    const { primary } = vaults;
    const plan = await getJson(primary, PrunePlan, keys.records.prune.plan(prune));
    const items = await itemsWithRepository(vaults, itemsOf(plan, keys));
    const keyOf = (id: string) => keys.records.prune.job(prune, id);
    const state = await withCluster('backup', now, async (cluster) => {
      const ending = await endStoppedPrunes({ cluster, vault: primary, now }, keys, prune);
      if (ending > 0) return { running: ending, done: 0, failed: 0, waitSeconds: 3 };
      const look = await reconcileJobs(jobsContext(cluster, now), {
        run: prune,
        made: madeObjects({ cluster, vault: primary, now }, keys.runs.dir(prune)),
        use: 'prune',
        buckets: COPIES.map((copy) => endpoints[copy].bucket),
        repositories: primary,
        items: async () => items,
        jobFor: async (item) => {
          const held = await copiesWith(vaults, item.repository);
          return pruneJob(
            settings(),
            prune,
            item,
            held.map((copy) => endpoints[copy]),
          );
        },
        outcomeOf: (item, end) => repositoryOutcome({ copies: vaults, keys, prune }, item, end),
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
