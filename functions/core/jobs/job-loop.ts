import type { LoopState } from '../../contract/states.ts';
import type { JobEnd } from '../kubernetes/job-end.ts';
import { type ActualJob, type DesiredJob, reconcile } from './reconcile.ts';

/** The cluster operations of the loop. */
export interface JobPort<D, A> {
  /** The Jobs that the run has made and not yet removed. */
  list(): Promise<A[]>;
  /** Starts a Job. Returns a readable message if that is impossible; it becomes the result of the work. */
  start(work: D, attempt: number, initialises: boolean): Promise<string | undefined>;
  end(job: A): Promise<JobEnd>;
  remove(job: A): Promise<void>;
  /** Gives running Jobs new credentials before the old ones expire. */
  renewCredentials(running: readonly { readonly work: D; readonly job: A }[]): Promise<void>;
}

/** The vault operations of the loop: one result per piece of work. */
export interface ResultPort<D> {
  finished(): Promise<Set<string>>;
  write(work: D, end: JobEnd): Promise<void>;
  failures(): Promise<number>;
  existingRepositories(repositories: readonly string[]): Promise<Set<string>>;
}

export interface LoopOptions {
  readonly concurrency: number;
  readonly concurrencyPerNode: number;
  readonly maxAttempts: number;
  /** Seconds between two reconciliation passes while Jobs run. */
  readonly pollSeconds: number;
}

/** Result of a reconciliation pass, and the Jobs that existed before its actions. */
export interface Look<A> {
  readonly state: LoopState;
  readonly actual: readonly A[];
}

/** JobEnd for work whose Job could not be started. */
export const notRun = (message: string): JobEnd => ({
  exitCode: undefined,
  log: '',
  reports: {},
  message,
  seconds: 0,
});

/**
 * One reconciliation pass with its actions. Results are written before their Jobs are deleted, so that after a kill
 * between the two only a leftover remains, which the next pass removes.
 */
export async function reconcileOnce<D extends DesiredJob, A extends ActualJob>(
  desired: readonly D[],
  jobs: JobPort<D, A>,
  results: ResultPort<D>,
  options: LoopOptions,
): Promise<Look<A>> {
  const [actual, finished] = await Promise.all([jobs.list(), results.finished()]);
  const pending = desired.filter((d) => !finished.has(d.id));
  const existingRepositories = await results.existingRepositories([
    ...new Set(pending.map((d) => d.repository)),
  ]);
  const decision = reconcile({ desired, actual, finished, existingRepositories, ...options });
  for (const { work, job } of decision.collect) {
    await results.write(work, await jobs.end(job));
    // Failed attempts recorded the attempt number. The result replaces them.
    for (const attempt of actual.filter((a) => a.id === job.id)) await jobs.remove(attempt);
  }
  for (const job of decision.remove) await jobs.remove(job);
  const byId = new Map(desired.map((d) => [d.id, d]));
  await jobs.renewCredentials(
    actual.flatMap((job) => {
      const work = byId.get(job.id);
      return work && job.state === 'running' ? [{ work, job }] : [];
    }),
  );
  for (const { work, attempt, initialises } of decision.start) {
    const why = await jobs.start(work, attempt, initialises);
    if (why !== undefined) await results.write(work, notRun(why));
  }
  const open = decision.running + decision.waiting;
  const done = desired.length - open;
  const failed = await results.failures();
  return {
    state: { running: open, done, failed, waitSeconds: open > 0 ? options.pollSeconds : 0 },
    actual,
  };
}
