import {
  type ClusterJob,
  giveSecret,
  lookAtJob,
  resumeJob,
} from '../../functions/adapters/kubernetes/jobs.ts';
import { jobManifest } from '../../functions/core/jobs/job-manifest.ts';
import type { ResticJob } from '../../functions/core/jobs/job-spec.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { madeObjects, type Own, removeAll } from '../../functions/runtime/jobs/made-objects.ts';
import { MemoryVault } from './memory-vault.ts';

/** Jobs in a cluster that a test starts as a function does, each by itself. */
export class OwnJobs {
  private readonly vault = new MemoryVault('primary');
  private readonly cluster: KubeClient;

  constructor(cluster: KubeClient) {
    this.cluster = cluster;
  }

  private made = ({ run }: Pick<ResticJob, 'run'>) =>
    madeObjects({ cluster: this.cluster, vault: this.vault, now: new Date() }, `runs/test/${run}/`);

  /** Starts the first attempt of a Job. */
  async start(job: ResticJob, files: Record<string, string>): Promise<void> {
    const slot = { kind: 'job', id: job.id, attempt: 1 } as const;
    const answer = await this.made(job).make(slot, job.namespace, (name) => jobManifest(job, 1, name));
    if ('refused' in answer) throw new Error(answer.refused);
    const refused = await giveSecret(this.cluster, answer.own, 1, files);
    if (refused) throw new Error(refused);
    await resumeJob(this.cluster, answer.own);
  }

  /** A look at a Job, by another client if one is given. */
  async look(job: ResticJob, startSeconds = 600, client = this.cluster): Promise<ClusterJob> {
    const { id } = job;
    const own = (await this.made(job).get({ kind: 'job', id, attempt: 1 })) as Own;
    return lookAtJob(client, { ...own, id, attempt: 1 }, { now: new Date(), startSeconds });
  }

  /** Removes the Jobs of a run. */
  async remove(job: Pick<ResticJob, 'run'>): Promise<void> {
    await removeAll(this.made(job));
  }
}
