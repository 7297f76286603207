import {
  type ClusterJob,
  jobEnd,
  listJobs,
  removeJob,
  renewSession,
  startJob,
} from '../adapters/kubernetes/jobs.ts';
import { credentialMinter } from '../adapters/sts/credentials.ts';
import type { JobPort, ResultPort } from '../core/job-loop.ts';
import { type ResticJob, sessionDue } from '../core/job-spec.ts';
import type { DesiredJob } from '../core/reconcile.ts';
import {
  CREDENTIALS_FILES,
  type RepositoryUse,
  repositoryPassword,
  sessionFile,
  sessionPolicy,
} from '../core/repository.ts';
import type { KubeClient } from '../ports/kubernetes.ts';
import type { Vault } from '../ports/vault.ts';
import { masterSecret } from './connect.ts';
import { env, settings } from './settings.ts';

/** A piece of restic work: which repository, in which buckets, and what its credentials may do there. */
export interface ResticWork extends DesiredJob {
  /** Key of the repository; the gate of its work. */
  readonly gate: string;
  readonly namespace: string;
}

/** What the Jobs of one run have in common. */
export interface ResticRun<W extends ResticWork> {
  readonly run: string;
  readonly use: RepositoryUse;
  readonly buckets: readonly string[];
  readonly now: Date;
  /** Whether the Job of a work has an identity of its own in AWS; absent: none has. */
  hasIdentity?(work: W): boolean;
  jobFor(work: W, opensGate: boolean, attempt: number): ResticJob | Promise<ResticJob>;
}

/** Limits of a loop over restic Jobs. */
export const loopOptions = () => {
  const { concurrency, concurrencyPerNode } = settings().jobs;
  return { concurrency, concurrencyPerNode, maxAttempts: 2, pollSeconds: 3 };
};

/** Jobs of one run in the cluster, each with credentials for nothing but its repository. */
export function resticJobs<W extends ResticWork>(
  cluster: KubeClient,
  { run, use, buckets, now, jobFor, hasIdentity = () => false }: ResticRun<W>,
): JobPort<W, ClusterJob> {
  const session = async (work: W): Promise<string> => {
    const mint = credentialMinter(settings().vault.region, env('jobRoleArn'));
    const partition = env('jobRoleArn').split(':')[1]; // of China and GovCloud it is another one
    const arns = buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`);
    return sessionFile(await mint(run, sessionPolicy(arns, work.gate, use)));
  };
  return {
    list: () => listJobs(cluster, run, { now, startSeconds: settings().jobs.startSeconds }),
    end: (job) => jobEnd(cluster, job),
    remove: (job) => removeJob(cluster, job),
    async start(work, attempt, opensGate) {
      const [master, job, credentials] = await Promise.all([
        masterSecret(),
        jobFor(work, opensGate, attempt),
        hasIdentity(work) ? {} : session(work).then((s) => ({ ...CREDENTIALS_FILES, 'session.json': s })),
      ]);
      await startJob(cluster, job, attempt, {
        password: repositoryPassword(master, work.gate),
        ...credentials,
      });
    },
    async tend(running) {
      for (const { work, job } of running.filter((r) => !hasIdentity(r.work))) {
        const due = sessionDue(job.startTime, now);
        if (due > job.session) await renewSession(cluster, job, due, { 'session.json': await session(work) });
      }
    },
  };
}

/** Results as one small document per piece of work below `dir`. A repository's gate is open when its `config` exists. */
export function resultsIn<W extends DesiredJob>(
  vault: Vault,
  repositories: Vault,
  dir: string,
  write: ResultPort<W>['write'],
  failed: (body: Buffer) => boolean,
): ResultPort<W> {
  const all = async () => {
    const names: string[] = [];
    for await (const o of vault.list(dir)) names.push(o.key);
    return names;
  };
  return {
    write,
    finished: async () => new Set((await all()).map((key) => key.slice(dir.length, -'.json'.length))),
    failures: async () =>
      (await Promise.all((await all()).map((key) => vault.get(key)))).filter(failed).length,
    async openGates(gates) {
      const open = await Promise.all(
        gates.map(async (g) => ((await repositories.exists(`${g}/config`)) ? [g] : [])),
      );
      return new Set(open.flat());
    },
  };
}
