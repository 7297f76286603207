import { jobProgress } from '../adapters/kubernetes/jobs.ts';
import { getJson, putJson } from '../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../contract/states.ts';
import { type JobEnd, lookOnce } from '../core/job-loop.ts';
import { type Progress, VolumeOutcome, Work } from '../core/record.ts';
import { connectCluster, keys, primaryVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { holderOf } from '../runtime/holder.ts';
import { hookRunner } from '../runtime/hooks.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { progressOf } from './progress.ts';
import { backupJob, type VolumeWork, volumeOutcome } from './volume-job.ts';

/** One look at the backup's volume Jobs: start what is missing, collect what has ended, say how far they are. */
export const handler = lambda(
  'reconcile-volumes',
  BackupName,
  async ({ backup }, { now }): Promise<LoopState> => {
    const vault = primaryVault();
    const k = keys();
    const work = await getJson(vault, Work, k.records.work(backup));
    const desired = work.volumes.map((v): VolumeWork => ({ ...v, gate: k.restic.repository(v.namespace) }));
    const cluster = await connectCluster('backup', now);
    const write = async (v: VolumeWork, end: JobEnd) => {
      const outcome = volumeOutcome(v, end);
      await putJson(vault, k.records.volume(backup, v.id), outcome);
      return outcome.result === 'failed';
    };
    const failed = (body: Buffer) =>
      VolumeOutcome.parse(JSON.parse(body.toString('utf8'))).result === 'failed';
    const jobs = resticJobs(cluster, {
      run: backup,
      use: 'backup',
      buckets: [vault.bucket],
      now,
      jobFor: async (v: VolumeWork, init, attempt) =>
        backupJob(settings(), work, v, vault.bucket, { init, attempt, holder: await holderOf(cluster, v) }),
    });
    const hooks = hookRunner(cluster, vault, k, backup);
    const hooked = {
      ...jobs,
      async start(v: VolumeWork, attempt: number, opensGate: boolean) {
        const message = attempt === 1 ? await hooks.before(work.hooks ?? [], v.id) : undefined;
        if (message === undefined) await jobs.start(v, attempt, opensGate);
        else await write(v, { exitCode: undefined, log: '', reports: {}, message, seconds: 0 });
      },
    };
    const results = resultsIn(vault, vault, k.records.volumeDir(backup), write, failed);
    try {
      const state = await lookOnce(desired, hooked, results, loopOptions());
      if (desired.length > 0) {
        const [actual, finished] = await Promise.all([jobs.list(), results.finished()]);
        await hooks.after(work.hooks ?? [], finished);
        const volumes = await progressOf(desired, actual, finished, (job) => jobProgress(cluster, job));
        await putJson(vault, k.records.progress(backup), {
          at: now.toISOString(),
          volumes,
        } satisfies Progress);
      }
      return state;
    } finally {
      await cluster.close();
    }
  },
);
