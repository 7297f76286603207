import { jobProgress } from '../adapters/kubernetes/jobs.ts';
import { getJson, putJson } from '../adapters/s3/documents.ts';
import { BackupName, type LoopState } from '../contract/states.ts';
import { notRun } from '../core/job-loop.ts';
import { type Progress, VolumeOutcome, Work } from '../core/record.ts';
import { fromSnapshot } from '../core/volume-snapshots.ts';
import { keys, primaryVault, withCluster } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { hookRunner } from '../runtime/hooks.ts';
import { jobResults, type ResultDocuments } from '../runtime/job-results.ts';
import { reconcileJobs } from '../runtime/reconcile-jobs.ts';
import { jobsContext } from '../runtime/restic-jobs.ts';
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
    const documents: ResultDocuments<VolumeOutcome> = {
      vault,
      dir: k.records.volumeDir(backup),
      keyOf: (id) => k.records.volume(backup, id),
      schema: VolumeOutcome,
      failed: (o) => o.result === 'failed',
    };
    const results = jobResults(documents);
    return withCluster('backup', now, async (cluster) => {
      const hooks = hookRunner(cluster, vault, k, backup);
      const before = (v: { readonly id: string }) => hooks.before(work.hooks ?? [], v.id);
      const snapshots = volumeSnapshots(cluster, {
        run: backup,
        now,
        limits: { cutSeconds: limits.startSeconds, readySeconds: limits.deadlineSeconds },
      });
      const hindrance = async (v: VolumeWork, attempt: number) => {
        if (fromSnapshot(v)) return snapshots.claimFor(v);
        const hooked = attempt === 1 ? await before(v) : undefined;
        if (hooked !== undefined || (!v.dump && !v.podVolume)) return hooked;
        return outOfReach(v, await findPlace(cluster, v));
      };
      const all = work.volumes.map((v): VolumeWork => ({ ...v, gate: k.restic.repository(v.namespace) }));
      const done = await results.finished();
      const cuts = await snapshots.look(
        all.filter(fromSnapshot).filter((v) => !done.has(v.id)),
        before,
      );
      for (const v of all) {
        const cut = done.has(v.id) ? undefined : cuts.get(v.id);
        if (cut?.state === 'failed')
          await results.write(v.id, volumeOutcome(v, notRun(cut.message ?? 'its snapshot failed')));
      }
      const desired = all.map((v) =>
        fromSnapshot(v) ? { ...v, ready: cuts.get(v.id)?.state === 'ready' } : v,
      );
      const { state, actual } = await reconcileJobs<VolumeWork, VolumeOutcome>(jobsContext(cluster, now), {
        run: backup,
        use: 'backup',
        buckets: [vault.bucket],
        repositories: vault,
        items: async () => desired,
        hasIdentity: (v: VolumeWork) => identityOf(settings(), v) !== undefined,
        async jobFor(v, init, attempt) {
          const whyNot = await hindrance(v, attempt);
          if (whyNot !== undefined) return { whyNot };
          const place = await findPlace(cluster, v);
          return backupJob(settings(), work, v, vault.bucket, { init, attempt, place });
        },
        outcomeOf: volumeOutcome,
        results: documents,
      });
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
