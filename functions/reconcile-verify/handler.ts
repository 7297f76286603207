import { getJson } from '../adapters/s3/documents.ts';
import { type LoopState, VerifyRef } from '../contract/states.ts';
import { COPIES, type Copy } from '../core/copies.ts';
import { CheckOutcome, VerifyRun } from '../core/verification.ts';
import { keys, primaryVault, replicaVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { reconcileJobs } from '../runtime/reconcile-jobs.ts';
import { jobsContext } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { checkJob, checkOutcome, checksOf } from './check-job.ts';

/** One look at the Jobs that let restic read its repositories, in both copies. */
export const handler = lambda('reconcile-verify', VerifyRef, async ({ run }, { now }): Promise<LoopState> => {
  const copies = { primary: primaryVault(), replica: replicaVault() };
  const k = keys();
  const plan = await getJson(copies.primary, VerifyRun, k.records.verify.run(run));
  const held = await repositoriesIn(copies, k.restic.root);
  const checks = checksOf(plan, k.restic.repository, ({ namespace, copy }) => held[copy].has(namespace));
  const { state } = await withCluster('backup', now, (cluster) =>
    reconcileJobs(jobsContext(cluster, now), {
      run,
      use: 'restore',
      buckets: COPIES.map((copy) => copies[copy].bucket),
      repositories: copies.primary,
      items: async () => checks,
      jobFor: (check) => checkJob(settings(), plan, check, copies[check.copy].bucket),
      outcomeOf: checkOutcome,
      results: {
        vault: copies.primary,
        dir: k.records.verify.jobDir(run),
        keyOf: (id) => k.records.verify.job(run, id),
        schema: CheckOutcome,
        failed: (o) => !o.ok,
      },
    }),
  );
  return state;
});

/** A namespace whose recovery points are not replicated yet has no repository in the replica. */
async function repositoriesIn(
  copies: Readonly<Record<Copy, ReturnType<typeof primaryVault>>>,
  root: string,
): Promise<Record<Copy, ReadonlySet<string>>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => copies[copy].folders(root)));
  return { primary: new Set(primary), replica: new Set(replica) };
}
