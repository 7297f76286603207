import { type ClusterJob, jobProgress } from '../adapters/kubernetes/jobs.ts';
import { getJson, putJson } from '../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../contract/states.ts';
import { type JobEnd, lookOnce } from '../core/job-loop.ts';
import { type Progress, VolumeOutcome, Work } from '../core/record.ts';
import { fromSnapshot } from '../core/volume-snapshots.ts';
import { keys, primaryVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { hookRunner } from '../runtime/hooks.ts';
import { loopOptions, resticJobs, resultsIn } from '../runtime/restic-jobs.ts';
import { settings } from '../runtime/settings.ts';
import { volumeSnapshots } from '../runtime/volume-snapshots.ts';
import type { VolumeWork } from './place.ts';
import { findPlace } from './place.ts';
import { progressOf } from './progress.ts';
import { backupJob, identityOf, outOfReach, volumeOutcome } from './volume-job.ts';

/** One look at the backup's volumes: snapshot and start what is missing, collect what has ended, say how far they are. */
export const handler = lambda(
  'reconcile-volumes',
  BackupName,
  async ({ backup }, { now }): Promise<LoopState> => {
    const vault = primaryVault();
    const k = keys();
    const work = await getJson(vault, Work, k.records.work(backup));
    const { jobs: limits } = settings();
    return withCluster('backup', now, async (cluster) => {
      const write = async (v: VolumeWork, end: JobEnd) => {
        const outcome = volumeOutcome(v, end);
        await putJson(vault, k.records.volume(backup, v.id), outcome);
        return outcome.result === 'failed';
      };
      const fail = (v: VolumeWork, message: string) =>
        write(v, { exitCode: undefined, log: '', reports: {}, message, seconds: 0 });
      const failed = (body: Buffer) =>
        VolumeOutcome.parse(JSON.parse(body.toString('utf8'))).result === 'failed';
      const hooks = hookRunner(cluster, vault, k, backup);
      const before = (v: { readonly id: string }) => hooks.before(work.hooks ?? [], v.id);
      const snapshots = volumeSnapshots(cluster, {
        run: backup,
        now,
        limits: { cutSeconds: limits.startSeconds, readySeconds: limits.deadlineSeconds },
      });
      const jobs = resticJobs(cluster, {
        run: backup,
        use: 'backup',
        buckets: [vault.bucket],
        now,
        hasIdentity: (v: VolumeWork) => identityOf(settings(), v) !== undefined,
        jobFor: async (v: VolumeWork, init, attempt) =>
          backupJob(settings(), work, v, vault.bucket, { init, attempt, place: await findPlace(cluster, v) }),
      });
      const hindrance = async (v: VolumeWork, attempt: number) => {
        if (fromSnapshot(v)) return snapshots.claimFor(v);
        const hooked = attempt === 1 ? await before(v) : undefined;
        if (hooked !== undefined || (!v.dump && !v.podVolume)) return hooked;
        return outOfReach(v, await findPlace(cluster, v));
      };
      // One LIST serves the Jobs and what is said of them.
      let actual: readonly ClusterJob[] = [];
      const prepared = {
        ...jobs,
        async list() {
          const found = await jobs.list();
          actual = found;
          return found;
        },
        async start(v: VolumeWork, attempt: number, opensGate: boolean) {
          const message = await hindrance(v, attempt);
          if (message === undefined) await jobs.start(v, attempt, opensGate);
          else await fail(v, message);
        },
      };
      const results = resultsIn(vault, vault, k.records.volumeDir(backup), write, failed);
      const all = work.volumes.map((v): VolumeWork => ({ ...v, gate: k.restic.repository(v.namespace) }));
      const done = await results.finished();
      const cuts = await snapshots.look(
        all.filter(fromSnapshot).filter((v) => !done.has(v.id)),
        before,
      );
      for (const v of all) {
        const cut = done.has(v.id) ? undefined : cuts.get(v.id);
        if (cut?.state === 'failed') await fail(v, cut.message ?? 'its snapshot failed');
      }
      const desired = all.map((v) =>
        fromSnapshot(v) ? { ...v, ready: cuts.get(v.id)?.state === 'ready' } : v,
      );
      const state = await lookOnce(desired, prepared, results, loopOptions());
      if (desired.length > 0) {
        const finished = await results.finished();
        // A snapshot is the volume's last moment that counts: its application need not wait for the Job.
        const read = [...cuts].flatMap(([id, { cut }]) => (cut ? [id] : []));
        await hooks.after(work.hooks ?? [], new Set([...finished, ...read]));
        if (all.some(fromSnapshot)) await snapshots.clean(finished);
        const volumes = await progressOf(desired, actual, finished, cuts, (job) => jobProgress(cluster, job));
        await putJson(vault, k.records.progress(backup), {
          at: now.toISOString(),
          volumes,
        } satisfies Progress);
      }
      return state;
    });
  },
);
