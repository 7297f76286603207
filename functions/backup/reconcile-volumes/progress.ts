import pMap from 'p-map';
import type { ClusterJob } from '../../adapters/kubernetes/jobs.ts';
import type { Progress } from '../../core/backup/record.ts';
import { hasStarted } from '../../core/jobs/job-health.ts';
import type { ResticProgress } from '../../core/restic/restic.ts';
import { shortName } from '../../core/restic/source.ts';
import type { WorkVolume } from '../../core/volumes/work.ts';

/** Logs that are read in parallel. */
const CONCURRENCY = 8;

/** How far each volume of a backup is. */
export function progressOf(
  volumes: readonly WorkVolume[],
  jobs: readonly ClusterJob[],
  finished: ReadonlySet<string>,
  snapshots: ReadonlyMap<string, { readonly message?: string | undefined }>,
  read: (job: ClusterJob) => Promise<ResticProgress | undefined>,
): Promise<Progress['volumes']> {
  return pMap(
    volumes,
    async (v) => {
      const { id } = v;
      const volume = shortName(v);
      if (finished.has(id)) return { volume, state: 'done' as const };
      const job = jobs.filter((j) => j.id === id).sort((a, b) => b.attempt - a.attempt)[0];
      if (!job) {
        const blocker = snapshots.get(id)?.message;
        return { volume, state: 'waiting' as const, ...(blocker && { blocker }) };
      }
      if (!job.pod || !hasStarted(job.pod))
        return { volume, state: 'starting' as const, ...(job.message && { blocker: job.message }) };
      return { volume, state: 'running' as const, ...(await read(job)) };
    },
    { concurrency: CONCURRENCY },
  );
}
