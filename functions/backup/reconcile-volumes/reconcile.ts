import type { ClusterJob } from '../../adapters/kubernetes/jobs.ts';
import type { VaultCopy } from '../../contract/copies.ts';
import type { ClusterSettings } from '../../contract/settings.ts';
import type { LoopState } from '../../contract/states.ts';
import type { Progress, Work } from '../../core/backup/record.ts';
import { type Look, notRun } from '../../core/jobs/job-loop.ts';
import type { ResticProgress } from '../../core/restic/log.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { beginAll, cleanUpAfter, STRATEGIES } from '../../core/volumes/strategies.ts';
import type { StrategyPorts, VolumeWork } from '../../core/volumes/strategy.ts';
import type { VolumeOutcome } from '../../core/volumes/work.ts';
import type { JobResults } from '../../runtime/jobs/job-results.ts';
import type { JobRun } from '../../runtime/jobs/reconcile-jobs.ts';
import { progressOf } from './progress.ts';
import { backupJob, identityOf, volumeOutcome } from './volume-job.ts';

/** The volume-specific part of a run of Jobs. */
type VolumeJobs = Pick<JobRun<VolumeWork, VolumeOutcome>, 'items' | 'jobFor' | 'outcomeOf' | 'hasIdentity'>;

/** What one reconciliation pass over a backup's volumes needs of the cluster and the vault. All calls are idempotent. */
export interface VolumePorts extends StrategyPorts {
  readonly jobs: {
    reconcile(jobs: VolumeJobs): Promise<Look<ClusterJob>>;
    /** Progress of restic in a running Job; undefined if it has not reported any. */
    progress(job: ClusterJob): Promise<ResticProgress | undefined>;
  };
  readonly hooks: StrategyPorts['hooks'] & {
    /** Runs the post hooks of pods whose volumes have all ended, successfully or not. */
    after(ended: ReadonlySet<string>): Promise<void>;
  };
  readonly leftovers: {
    /** Removes what earlier backups of the plan left in the cluster. */
    remove(): Promise<void>;
  };
  readonly documents: Pick<JobResults<VolumeOutcome>, 'finished' | 'write'> & {
    putProgress(progress: Progress): Promise<void>;
  };
}

/** What a pass needs besides the ports. */
export interface VolumesContext {
  readonly settings: ClusterSettings;
  readonly keys: VaultKeys;
  /** The copy of the vault that backups are written to. */
  readonly copy: VaultCopy;
  readonly now: Date;
}

/** Reconciles the backup's volumes once: starts missing snapshots and Jobs, stores results, writes the progress. */
export async function reconcileVolumes(
  ports: VolumePorts,
  work: Work,
  context: VolumesContext,
): Promise<LoopState> {
  const all = work.volumes.map(
    (v): VolumeWork => ({ ...v, repository: context.keys.restic.repository(v.namespace) }),
  );
  const begun = await beginUnfinished(ports, all);
  const items = all.map((v) => (begun.has(v.id) ? { ...v, ready: begun.get(v.id)?.state === 'ready' } : v));
  const { state, actual } = await ports.jobs.reconcile(jobsOf({ ...context, ports, work }, items, begun));
  if (items.length === 0) return state;
  const finished = await ports.documents.finished();
  // Once a volume's snapshot is taken, its application does not need to wait for the Job.
  const takenIds = [...begun].flatMap(([id, { taken }]) => (taken ? [id] : []));
  await ports.hooks.after(new Set([...finished, ...takenIds]));
  await cleanUpAfter(all, finished, ports);
  if (state.waitSeconds === 0) await ports.leftovers.remove();
  await ports.documents.putProgress({
    at: context.now.toISOString(),
    volumes: await progressOf(items, {
      jobs: actual,
      finished,
      snapshots: begun,
      read: ports.jobs.progress,
    }),
  });
  return state;
}

type Begun = Awaited<ReturnType<typeof beginAll>>;

/** Starts the snapshots that Jobs wait for. A snapshot that fails is the result of its volume. */
async function beginUnfinished(ports: VolumePorts, all: readonly VolumeWork[]): Promise<Begun> {
  const done = await ports.documents.finished();
  const open = all.filter((v) => !done.has(v.id));
  const begun = await beginAll(open, ports);
  for (const v of open) {
    const { state, message = 'its snapshot failed' } = begun.get(v.id) ?? {};
    if (state === 'failed') await ports.documents.write(v.id, volumeOutcome(v, notRun(message)));
  }
  return begun;
}

interface VolumeJobsContext extends VolumesContext {
  readonly ports: VolumePorts;
  readonly work: Work;
}

function jobsOf(
  { settings, copy, ports, work }: VolumeJobsContext,
  items: readonly VolumeWork[],
  begun: Begun,
): VolumeJobs {
  return {
    items: async () => items,
    hasIdentity: (v) => identityOf(settings, v) !== undefined,
    async jobFor(v, init, attempt) {
      const prepared = await STRATEGIES[v.strategy].prepare(v, { attempt, begun: begun.get(v.id) }, ports);
      if ('blocker' in prepared) return prepared;
      return backupJob({ settings, work, copy }, v, { init, attempt, location: prepared.location });
    },
    outcomeOf: volumeOutcome,
  };
}
