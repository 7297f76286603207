import pMap from 'p-map';
import type { ClusterJob } from '../../adapters/kubernetes/jobs.ts';
import type { Progress } from '../../core/backup/record.ts';
import { hasStarted } from '../../core/jobs/job-health.ts';
import { plainText } from '../../core/kubernetes/plain-text.ts';
import type { ResticProgress } from '../../core/restic/log.ts';
import { shortName } from '../../core/restic/source.ts';
import type { WorkVolume } from '../../core/volumes/work.ts';

/** Logs that are read in parallel. */
const CONCURRENCY = 8;

/** The state of a reconciliation pass. */
export interface ProgressContext {
  readonly jobs: readonly ClusterJob[];
  /** Ids of volumes that have a result. */
  readonly finished: ReadonlySet<string>;
  /** Snapshots by volume id. */
  readonly snapshots: ReadonlyMap<string, { readonly message?: string | undefined }>;
  /** Reads the progress of a running Job. */
  read(job: ClusterJob): Promise<ResticProgress | undefined>;
}

/** Progress of each volume of a backup. */
export function progressOf(
  volumes: readonly WorkVolume[],
  { jobs, finished, snapshots, read }: ProgressContext,
): Promise<Progress['volumes']> {
  return pMap(
    volumes,
    async (v) => {
      const { id } = v;
      const volume = shortName(v);
      if (finished.has(id)) return { volume, state: 'done' as const };
      const job = jobs.filter((j) => j.id === id).sort((a, b) => b.attempt - a.attempt)[0];
      if (!job) {
        const blocker = plainText(snapshots.get(id)?.message);
        return { volume, state: 'waiting' as const, ...(blocker && { blocker }) };
      }
      if (!job.pod || !hasStarted(job.pod))
        return {
          volume,
          state: 'starting' as const,
          ...(job.message && { blocker: plainText(job.message) }),
        };
      return { volume, state: 'running' as const, ...(await read(job)) };
    },
    { concurrency: CONCURRENCY },
  );
}
