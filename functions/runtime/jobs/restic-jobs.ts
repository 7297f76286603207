import pMap from 'p-map';
import { type ClusterJob, giveSecret, jobEnd, lookAtJob, resumeJob } from '../../adapters/kubernetes/jobs.ts';
import { credentialMinter } from '../../adapters/sts/credentials.ts';
import { partitionOf } from '../../contract/partition.ts';
import type { JobSettings } from '../../contract/settings.ts';
import type { JobPort } from '../../core/jobs/job-loop.ts';
import { jobManifest } from '../../core/jobs/job-manifest.ts';
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
import { type MadeObjects, objectsOf, type RunObject } from './made-objects.ts';

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

/** A Job of a run, with the document that makes it Holdfast's. */
export type OwnJob = ClusterJob & { readonly document: RunObject };

/** Jobs that are looked at in parallel. */
const CONCURRENCY = 8;

/** Jobs of one run in the cluster, each with credentials for its own repository only. */
export function resticJobs<W extends ResticWork>(
  { cluster, now, jobs, ...context }: JobsContext,
  made: MadeObjects,
  run: ResticRun<W>,
): JobPort<W, OwnJob> {
  const hasIdentity = (work: W) => run.hasIdentity?.(work) ?? false;
  const sessionOf = async (work: W) => ({ 'session.json': await context.session(run, work.repository) });
  const firstFiles = async (work: W) => {
    const [master, credentials] = await Promise.all([
      context.masterSecret(),
      hasIdentity(work) ? {} : sessionOf(work).then((s) => ({ ...CREDENTIALS_FILES, ...s })),
    ]);
    return { password: repositoryPassword(master, work.repository), ...credentials };
  };
  return {
    // Bounded by what the run has made: nothing that lies in a namespace costs a request.
    async list() {
      const documents = (await objectsOf(made, ['job'])).filter(isOfJob);
      const look = async (document: JobDocument): Promise<OwnJob> => {
        const { slot, uid, ...of } = document;
        const job = { ...of, ...slot, uid: uid ?? '' };
        if (uid === undefined) return { ...job, ...NOT_CREATED, document };
        return { ...(await lookAtJob(cluster, job, { now, startSeconds: jobs.startSeconds })), document };
      };
      return pMap(documents, look, { concurrency: CONCURRENCY });
    },
    end: (job) => jobEnd(cluster, job),
    remove: async (job) => void (await made.remove(job.document)),
    async start(work, attempt, initialises) {
      const job = await run.jobFor(work, initialises, attempt);
      if ('blocker' in job) return job.blocker;
      const slot = { kind: 'job', id: work.id, attempt } as const;
      const created = await made.make(slot, job.namespace, (name) => jobManifest(job, attempt, name));
      if ('refused' in created) return created.refused;
      const refused = await giveSecret(cluster, created.own, 1, await firstFiles(work));
      if (refused === undefined) await resumeJob(cluster, created.own);
      return refused;
    },
    async renewCredentials(running) {
      for (const { work, job } of running.filter((r) => !hasIdentity(r.work))) {
        const due = sessionDue(job.startTime, now);
        if (due <= job.session) continue;
        const refused = await giveSecret(cluster, job, due, await sessionOf(work));
        if (refused === undefined) await made.noteSession(job.document.slot, due);
      }
    },
  };
}

type JobDocument = RunObject & { readonly slot: { readonly kind: 'job' } };
const isOfJob = (o: RunObject): o is JobDocument => o.slot.kind === 'job';

/** A Job whose creation was begun by a call that was killed: to be gone on with. */
const NOT_CREATED = {
  state: 'suspended',
  startTime: undefined,
  seconds: 0,
  message: undefined,
  pod: undefined,
} as const;
