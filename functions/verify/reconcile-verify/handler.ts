import { decode, getJson, putJson } from '../../adapters/s3/documents.ts';
import type { Vault } from '../../adapters/s3/vault.ts';
import { COPIES, type PerCopy } from '../../contract/copies.ts';
import { type LoopState, VerifyRef } from '../../contract/states.ts';
import { lookOnce } from '../../core/jobs/job-loop.ts';
import { CheckOutcome, VerifyRun } from '../../core/vault/verification.ts';
import { connectCluster, copies, keys, openCopies } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { loopOptions, resticJobs, resultsIn } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { type CheckWork, checkJob, checkOutcome, checksOf } from './check-job.ts';

/** One look at the Jobs that let restic read its repositories, in both copies. */
export const handler = lambda('reconcile-verify', VerifyRef, async ({ run }, { now }): Promise<LoopState> => {
  const [places, vaults] = [copies(), openCopies()];
  const k = keys();
  const plan = await getJson(vaults.primary, VerifyRun, k.records.verify.run(run));
  const held = await repositoriesIn(vaults, k.restic.root);
  const desired = checksOf(plan, k.restic.repository, ({ namespace, copy }) => held[copy].has(namespace));
  const cluster = await connectCluster('backup', now);
  try {
    return await lookOnce(
      desired,
      resticJobs<CheckWork>(cluster, {
        run,
        use: 'restore',
        buckets: COPIES.map((copy) => places[copy].bucket),
        now,
        jobFor: (work) => checkJob(settings().jobs, plan, work, places[work.copy]),
      }),
      resultsIn<CheckWork>(
        vaults.primary,
        vaults.primary,
        k.records.verify.jobDir(run),
        async (work, end) => {
          const outcome = checkOutcome(work, end);
          await putJson(vaults.primary, k.records.verify.job(run, work.id), outcome);
          return !outcome.ok;
        },
        (body) => !decode(CheckOutcome, 'the result of a check', body).ok,
      ),
      loopOptions(),
    );
  } finally {
    await cluster.close();
  }
});

/** A namespace whose recovery points are not replicated yet has no repository in the replica. */
async function repositoriesIn(vaults: PerCopy<Vault>, root: string): Promise<PerCopy<ReadonlySet<string>>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => vaults[copy].folders(root)));
  return { primary: new Set(primary), replica: new Set(replica) };
}
