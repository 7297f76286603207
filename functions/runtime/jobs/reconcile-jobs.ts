import type { ClusterJob } from '../../adapters/kubernetes/jobs.ts';
import { type Look, type ResultPort, reconcileOnce } from '../../core/jobs/job-loop.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import type { Vault } from '../../ports/vault.ts';
import { jobResults, type ResultDocuments } from './job-results.ts';
import { type JobsContext, type ResticRun, type ResticWork, resticJobs } from './restic-jobs.ts';

/** The Jobs of one run: of which work, which Job for each, and what its end means. */
export interface JobRun<W extends ResticWork, O> extends ResticRun<W> {
  /** What there is to do, as far as it is known: results of one look may make more known. */
  items(): Promise<readonly W[]>;
  /** What the end of a Job says of its work. */
  outcomeOf(work: W, end: JobEnd): O | Promise<O>;
  readonly results: ResultDocuments<O>;
  /** Where the repositories are, whose `config` says that they exist. */
  readonly repositories: Pick<Vault, 'exists'>;
}

const MAX_ATTEMPTS = 2;
const POLL_SECONDS = 3;

/** One look at the Jobs of a run: starts what is missing, writes the results of what has ended, counts failures. */
export async function reconcileJobs<W extends ResticWork, O>(
  context: JobsContext,
  run: JobRun<W, O>,
): Promise<Look<ClusterJob>> {
  const { concurrency, concurrencyPerNode } = context.jobs;
  const options = { concurrency, concurrencyPerNode, maxAttempts: MAX_ATTEMPTS, pollSeconds: POLL_SECONDS };
  const look = (items: readonly W[]) =>
    reconcileOnce(items, resticJobs(context, run), resultPort(run), options);
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
