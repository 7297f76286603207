import type { VaultCopy } from '../../contract/copies.ts';
import type { ClusterSettings } from '../../contract/settings.ts';
import type { Work } from '../../core/backup/record.ts';
import { BACKUP_STEP, type ResticJob } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { failure, parseSummary } from '../../core/restic/log.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import { DEFAULT_RESTIC, EXIT, initArgs, unlockArgs } from '../../core/restic/restic.ts';
import { STRATEGIES } from '../../core/volumes/strategies.ts';
import type { Location, VolumeWork } from '../../core/volumes/strategy.ts';
import type { VolumeOutcome, WorkVolume } from '../../core/volumes/work.ts';

/** What the volume Jobs of one backup are built from. */
export interface VolumeJobContext {
  readonly settings: ClusterSettings;
  readonly work: Pick<Work, 'plan' | 'backup'>;
  /** The copy of the vault that backups are written to. */
  readonly copy: VaultCopy;
}

/** How one Job of a volume is built. */
export interface BackupJobOptions {
  /** Whether the Job initialises the repository first. */
  readonly init: boolean;
  readonly attempt?: number;
  readonly location?: Location;
}

/** The Job that backs up one volume or dump, where it is now. */
export function backupJob(
  { settings: s, work, copy }: VolumeJobContext,
  v: VolumeWork,
  { init, attempt = 1, location = {} }: BackupJobOptions,
): ResticJob {
  const step = repositoryIn(copy, v.repository);
  const options = s.plans.find((p) => p.name === work.plan)?.restic ?? DEFAULT_RESTIC;
  const context = { settings: s, work, options };
  const { backup, tools = [], ...mounted } = STRATEGIES[v.strategy].mount(v, location, context);
  return {
    run: work.backup,
    id: v.id,
    settings: s.jobs,
    ...mounted,
    identity: identityOf(s, v),
    steps: [
      ...(init ? [{ ...step, name: 'init', args: initArgs() }] : []),
      // The first attempt may have failed because of the lock of a Job that was killed.
      ...(!init && attempt > 1 ? [{ ...step, name: 'unlock', args: unlockArgs() }] : []),
      ...tools,
      { ...step, name: BACKUP_STEP, ...backup },
    ],
  };
}

/**
 * The service account with the AWS identity of a Job, if one is configured. Only for Jobs that run in the namespace whose
 * repository they write: in Holdfast's own namespace one identity would need access to all repositories, and a dump has
 * an account already.
 */
export const identityOf = ({ jobs }: ClusterSettings, { strategy }: VolumeWork): string | undefined =>
  STRATEGIES[strategy].identity(jobs);

/** The outcome of a volume, from the end of its Job: exit code 0 with a snapshot: protected; 3: partial; else failed. */
export function volumeOutcome(v: WorkVolume, end: JobEnd): VolumeOutcome {
  const { id, namespace, pvc, podVolume, dump, volumeName, reclaimPolicy } = v;
  const of = {
    id,
    namespace,
    ...(pvc && { pvc }),
    ...(podVolume && { podVolume }),
    ...(dump && { dump }),
    ...(volumeName && { volumeName }),
    ...(reclaimPolicy && { reclaimPolicy }),
    seconds: end.seconds,
  };
  const summary = parseSummary(end.log);
  if (summary?.snapshot && (end.exitCode === EXIT.ok || end.exitCode === EXIT.incomplete)) {
    const { snapshot, files, bytes } = summary;
    if (end.exitCode === EXIT.ok) return { ...of, result: 'protected', snapshot, files, bytes };
    return {
      ...of,
      result: 'partial',
      snapshot,
      files,
      bytes,
      message: `restic could not read: ${summary.errors.join('; ') || 'some files'}`,
    };
  }
  return { ...of, result: 'failed', message: failure(end) };
}
