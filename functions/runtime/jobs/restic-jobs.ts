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
import { sessionDue } from '../../core/jobs/job-session.ts';
import type { ResticJob } from '../../core/jobs/job-spec.ts';
import type { DesiredJob } from '../../core/jobs/reconcile.ts';
import {
  CREDENTIALS_FILES,
  type RepositoryUse,
  repositoryPassword,
  sessionFile,
  sessionScope,
} from '../../core/restic/repository.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { masterSecret } from '../connect.ts';
import { env, settings } from '../settings.ts';

/** A work item with a restic repository. */
export interface ResticWork extends DesiredJob {
  /** Key prefix of the repository. */
  readonly repository: string;
  readonly namespace: string;
}

/** The scope of the credentials of a run's Jobs. */
export interface RepositoryAccess {
  readonly run: string;
  readonly use: RepositoryUse;
  readonly buckets: readonly string[];
}

/** The Jobs of one run. */
export interface ResticRun<W extends ResticWork> extends RepositoryAccess {
  /** Whether the Job of a work item has its own AWS identity; absent: none has. */
  hasIdentity?(work: W): boolean;
  /** The Job of a work item, or a message why it is blocked. */
  jobFor(work: W, initialises: boolean, attempt: number): JobOrBlocker | Promise<JobOrBlocker>;
}

/** A Job, or a readable message why it cannot start. */
type JobOrBlocker = ResticJob | { readonly blocker: string };

/** What Jobs are created with. */
export interface JobsContext {
  readonly cluster: KubeClient;
  readonly now: Date;
  readonly jobs: JobSettings;
  /** The cluster's repository master secret. */
  masterSecret(): Promise<string>;
  /** Session credentials for one repository only, in the format of the credentials file. */
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
    return sessionFile(await mint(sessionScope(run, arns, repository, use)));
  },
});

/** Jobs of one run in the cluster, each with credentials for its own repository only. */
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
