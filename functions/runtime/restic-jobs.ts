import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { type ClusterJob, jobEnd, listJobs, removeJob, startJob } from '../adapters/kubernetes/jobs.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import { credentialMinter } from '../adapters/sts/credentials.ts';
import type { JobPort, ResultPort } from '../core/job-loop.ts';
import type { ResticJob } from '../core/job-spec.ts';
import type { DesiredJob } from '../core/reconcile.ts';
import {
  credentialsFile,
  type RepositoryUse,
  repositoryPassword,
  sessionPolicy,
} from '../core/repository.ts';
import { masterSecret } from './connect.ts';
import { env, settings } from './settings.ts';

/** A piece of restic work: which repository, in which buckets, and what its credentials may do there. */
export interface ResticWork extends DesiredJob {
  /** Key of the repository; the gate of its work. */
  readonly gate: string;
  readonly namespace: string;
}

/** Jobs of one run in the cluster, each with credentials for nothing but its repository. */
export function resticJobs<W extends ResticWork>(
  cluster: KubeClient,
  run: string,
  use: RepositoryUse,
  buckets: readonly string[],
  jobFor: (work: W, opensGate: boolean) => ResticJob,
): JobPort<W, ClusterJob> {
  return {
    list: () => listJobs(cluster, run),
    end: (job) => jobEnd(cluster, job),
    remove: (job) => removeJob(cluster, job),
    async start(work, attempt, opensGate) {
      const mint = credentialMinter(settings().vault.region, env('jobRoleArn'));
      const partition = env('jobRoleArn').split(':')[1]; // of China and GovCloud it is another one
      const arns = buckets.map((bucket) => `arn:${partition}:s3:::${bucket}`);
      const [master, credentials] = await Promise.all([
        masterSecret(),
        mint(run, sessionPolicy(arns, work.gate, use)),
      ]);
      await startJob(
        cluster,
        jobFor(work, opensGate),
        attempt,
        repositoryPassword(master, work.gate),
        credentialsFile(credentials),
      );
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
