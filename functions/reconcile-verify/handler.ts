import { decode, getJson, putJson } from '../adapters/s3/documents.ts';
import { type LoopState, VerifyRef } from '../contract/states.ts';
import { COPIES, type Copy } from '../core/copies.ts';
import { lookOnce } from '../core/job-loop.ts';
import { CheckOutcome, VerifyRun } from '../core/verification.ts';
import { keys, primaryVault, replicaVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { type CheckWork, checkJob, checkOutcome, checksOf } from './check-job.ts';

/** One look at the Jobs that let restic read its repositories, in both copies. */
export const handler = lambda('reconcile-verify', VerifyRef, async ({ run }, { now }): Promise<LoopState> => {
  const copies = { primary: primaryVault(), replica: replicaVault() };
  const k = keys();
  const plan = await getJson(copies.primary, VerifyRun, k.records.verify.run(run));
  const held = await repositoriesIn(copies, k.restic.root);
  const desired = checksOf(plan, k.restic.repository, ({ namespace, copy }) => held[copy].has(namespace));
  return withCluster('backup', now, (cluster) =>
    lookOnce(
      desired,
      resticJobs<CheckWork>(cluster, {
        run,
        use: 'restore',
        buckets: COPIES.map((copy) => copies[copy].bucket),
        now,
        jobFor: (work) => checkJob(settings(), plan, work, copies[work.copy].bucket),
      }),
      resultsIn<CheckWork>(
        copies.primary,
        copies.primary,
        k.records.verify.jobDir(run),
        async (work, end) => {
          const outcome = checkOutcome(work, end);
          await putJson(copies.primary, k.records.verify.job(run, work.id), outcome);
          return !outcome.ok;
        },
        (body) => !decode(CheckOutcome, 'the result of a check', body).ok,
      ),
      loopOptions(),
    ),
  );
});

/** A namespace whose recovery points are not replicated yet has no repository in the replica. */
async function repositoriesIn(
  copies: Readonly<Record<Copy, ReturnType<typeof primaryVault>>>,
  root: string,
): Promise<Record<Copy, ReadonlySet<string>>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => copies[copy].folders(root)));
  return { primary: new Set(primary), replica: new Set(replica) };
}
