import { type Look, type ResultPort, reconcileOnce } from '../../core/jobs/job-loop.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import type { Vault } from '../../ports/vault.ts';
import { jobResults, type ResultDocuments } from './job-results.ts';
import type { MadeObjects } from './made-objects.ts';
import { type JobsContext, type OwnJob, type ResticRun, type ResticWork, resticJobs } from './restic-jobs.ts';

/** The Jobs of one run: the work items, the Job of each, and its outcome. */
export interface JobRun<W extends ResticWork, O> extends ResticRun<W> {
  /** The work items known so far. Results of a reconciliation pass may add more. */
  items(): Promise<readonly W[]>;
  /** The outcome of a work item, from the end of its Job. */
  outcomeOf(work: W, end: JobEnd): O | Promise<O>;
  readonly results: ResultDocuments<O>;
  /** What the run has in the cluster. */
  readonly made: MadeObjects;
  /** The copy with the repositories. A repository exists if its `config` does. */
  readonly repositories: Pick<Vault, 'exists'>;
}

const MAX_ATTEMPTS = 2;
const POLL_SECONDS = 3;

/** Reconciles the Jobs of a run once: starts missing Jobs, writes the results of ended ones, counts failures. */
export async function reconcileJobs<W extends ResticWork, O>(
  context: JobsContext,
  run: JobRun<W, O>,
): Promise<Look<OwnJob>> {
  const { concurrency, concurrencyPerNode } = context.jobs;
  const options = { concurrency, concurrencyPerNode, maxAttempts: MAX_ATTEMPTS, pollSeconds: POLL_SECONDS };
  const look = (items: readonly W[]) =>
    reconcileOnce(items, resticJobs(context, run.made, run), resultPort(run), options);
  const before = await run.items();
  const first = await look(before);
  const after = await run.items();
  return after.length > before.length ? look(after) : first;
}

function resultPort<W extends ResticWork, O>(run: JobRun<W, O>): ResultPort<W> {
  const { finished, failures, write } = jobResults(run.results);
  return {
    finished,
    failures,
    write: async (work, end) => write(work.id, await run.outcomeOf(work, end)),
    async existingRepositories(repositories) {
      const exist = await Promise.all(
        repositories.map((repository) => run.repositories.exists(`${repository}/config`)),
      );
      return new Set(repositories.filter((_, i) => exist[i]));
    },
  };
}
