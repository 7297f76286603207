import { getJson } from '../../adapters/s3/documents.ts';
import { COPIES, type PerCopy } from '../../contract/copies.ts';
import { type LoopState, VerifyRef } from '../../contract/states.ts';
import { CheckOutcome, VerifyRun } from '../../core/vault/verification.ts';
import type { Vault } from '../../ports/vault.ts';
import { clusterKeys, copies, openCopies, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { madeObjects } from '../../runtime/jobs/made-objects.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { checkJob, checkOutcome, checksOf } from './check-job.ts';

/** Reconciles the restic check Jobs of both copies once. */
export const handler = lambdaHandler(
  'reconcile-verify',
  VerifyRef,
  async ({ run }, { now }): Promise<LoopState> => {
    const [endpoints, vaults] = [copies(), openCopies()];
    const keys = clusterKeys();
    const plan = await getJson(vaults.primary, VerifyRun, keys.records.verify.run(run));
    const held = await repositoriesIn(vaults, keys.restic.root);
    const checks = checksOf(plan, keys.restic.repository, ({ namespace, copy }) => held[copy].has(namespace));
    const { state } = await withCluster('backup', now, (cluster) =>
      reconcileJobs(jobsContext(cluster, now), {
        run,
        made: madeObjects({ cluster, vault: vaults.primary, now }, keys.runs.dir(run)),
        use: 'restore',
        buckets: COPIES.map((copy) => endpoints[copy].bucket),
        repositories: vaults.primary,
        items: async () => checks,
        jobFor: (check) => checkJob(settings().jobs, plan, check, endpoints[check.copy]),
        outcomeOf: checkOutcome,
        results: {
          vault: vaults.primary,
          dir: keys.records.verify.jobDir(run),
          keyOf: (id) => keys.records.verify.job(run, id),
          schema: CheckOutcome,
          failed: (o) => !o.ok,
        },
      }),
    );
    return state;
  },
);

/** A namespace whose recovery points are not replicated yet has no repository in the replica. */
async function repositoriesIn(vaults: PerCopy<Vault>, root: string): Promise<PerCopy<ReadonlySet<string>>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => vaults[copy].folders(root)));
  return { primary: new Set(primary), replica: new Set(replica) };
}
