import { getJson, putJson } from '../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../contract/states.ts';
import { type JobEnd, lookOnce } from '../core/job-loop.ts';
import { VolumeOutcome, Work } from '../core/record.ts';
import { connectCluster, keys, primaryVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { backupJob, type VolumeWork, volumeOutcome } from './volume-job.ts';

/** One look at the backup's volume Jobs: start what is missing, collect what has ended. */
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
    try {
      return await lookOnce(
        desired,
        resticJobs(cluster, backup, 'backup', [vault.bucket], (v: VolumeWork, init) =>
          backupJob(settings(), work, v, vault.bucket, init),
        ),
        resultsIn(vault, vault, k.records.volumeDir(backup), write, failed),
        { concurrency: settings().jobs.concurrency, maxAttempts: 2, pollSeconds: 3 },
      );
    } finally {
      await cluster.close();
    }
  },
);
