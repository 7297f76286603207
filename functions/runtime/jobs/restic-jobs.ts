import {
  type ClusterJob,
  jobEnd,
  listJobs,
  removeJob,
  renewSession,
  startJob,
} from '../../adapters/kubernetes/jobs.ts';
import { credentialMinter } from '../../adapters/sts/credentials.ts';
import { partitionOf } from '../../contract/partition.ts';
import type { JobSettings } from '../../contract/settings.ts';
import type { JobPort } from '../../core/jobs/job-loop.ts';
import { type ResticJob, sessionDue } from '../../core/jobs/job-spec.ts';
import type { DesiredJob } from '../../core/jobs/reconcile.ts';
import {
  CREDENTIALS_FILES,
  type RepositoryUse,
  repositoryPassword,
  sessionFile,
  sessionPolicy,
} from '../../core/restic/repository.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { masterSecret } from '../connect.ts';
import { env, settings } from '../settings.ts';

/** A piece of restic work: which repository, in which buckets, and what its credentials may do there. */
export interface ResticWork extends DesiredJob {
  /** Key of the repository; the repository of its work. */
  readonly repository: string;
  readonly namespace: string;
}

/** What credentials of a run's Jobs are for. */
export interface RepositoryAccess {
  readonly run: string;
  readonly use: RepositoryUse;
  readonly buckets: readonly string[];
}

/** The Jobs of one run. */
export interface ResticRun<W extends ResticWork> extends RepositoryAccess {
  /** Whether the Job of a work has an identity of its own in AWS; absent: none has. */
  hasIdentity?(work: W): boolean;
  /** The Job of a work, or why there can be none, in words. */
  jobFor(work: W, initialises: boolean, attempt: number): JobOrBlocker | Promise<JobOrBlocker>;
}

export type JobOrBlocker = ResticJob | { readonly blocker: string };

/** What Jobs are made with. */
export interface JobsContext {
  readonly cluster: KubeClient;
  readonly now: Date;
  readonly jobs: JobSettings;
  /** The cluster's repository master secret. */
  masterSecret(): Promise<string>;
  /** Credentials for nothing but one repository, as restic's helper reads them. */
  session(access: RepositoryAccess, repository: string): Promise<string>;
}

/** What the Jobs of this function are made with. */
export const jobsContext = (cluster: KubeClient, now: Date): JobsContext => ({
  cluster,
  now,
  jobs: settings().jobs,
  masterSecret,
  async session({ run, use, buckets }, repository) {
    const mint = credentialMinter(settings().vault.region, env('jobRoleArn'));
    const partition = partitionOf(env('jobRoleArn'));
    const arns = buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`);
    return sessionFile(await mint(run, sessionPolicy(arns, repository, use)));
  },
});

/** Jobs of one run in the cluster, each with credentials for nothing but its repository. */
export function resticJobs<W extends ResticWork>(
  { cluster, now, jobs, ...context }: JobsContext,
  run: ResticRun<W>,
): JobPort<W, ClusterJob> {
  const hasIdentity = (work: W) => run.hasIdentity?.(work) ?? false;
  const sessionOf = async (work: W) => ({ 'session.json': await context.session(run, work.repository) });
  return {
    list: () => listJobs(cluster, run.run, { now, startSeconds: jobs.startSeconds }),
    end: (job) => jobEnd(cluster, job),
    remove: (job) => removeJob(cluster, job),
    async start(work, attempt, initialises) {
      const job = await run.jobFor(work, initialises, attempt);
      if ('blocker' in job) return job.blocker;
      const [master, credentials] = await Promise.all([
        context.masterSecret(),
        hasIdentity(work) ? {} : sessionOf(work).then((s) => ({ ...CREDENTIALS_FILES, ...s })),
      ]);
      const password = repositoryPassword(master, work.repository);
      await startJob(cluster, job, attempt, { password, ...credentials });
      return undefined;
    },
    async renewCredentials(running) {
      for (const { work, job } of running.filter((r) => !hasIdentity(r.work))) {
        const due = sessionDue(job.startTime, now);
        if (due > job.session) await renewSession(cluster, job, due, await sessionOf(work));
      }
    },
  };
}
