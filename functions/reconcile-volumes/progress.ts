import pMap from 'p-map';
import type { ClusterJob } from '../adapters/kubernetes/jobs.ts';
import { hasStarted } from '../core/job-health.ts';
import type { Progress, WorkVolume } from '../core/record.ts';
import type { ResticProgress } from '../core/restic.ts';

/** Logs that are read at once. */
const CONCURRENCY = 8;

/** How far each volume of a backup is. */
export function progressOf(
  volumes: readonly WorkVolume[],
  jobs: readonly ClusterJob[],
  finished: ReadonlySet<string>,
  read: (job: ClusterJob) => Promise<ResticProgress | undefined>,
): Promise<Progress['volumes']> {
  return pMap(
    volumes,
    async ({ id, namespace, pvc }) => {
      const volume = `${namespace}/${pvc}`;
      if (finished.has(id)) return { volume, state: 'done' as const };
      const job = jobs.filter((j) => j.id === id).sort((a, b) => b.attempt - a.attempt)[0];
      if (!job) return { volume, state: 'waiting' as const };
      if (!job.pod || !hasStarted(job.pod))
        return { volume, state: 'starting' as const, ...(job.message && { trouble: job.message }) };
      return { volume, state: 'running' as const, ...(await read(job)) };
    },
    { concurrency: CONCURRENCY },
  );
}
