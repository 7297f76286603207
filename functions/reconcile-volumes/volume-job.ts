import { SYSTEM_NAMESPACE } from '../contract/names.ts';
import type { ClusterSettings } from '../contract/settings.ts';
import type { JobEnd } from '../core/job-loop.ts';
import { BACKUP_STEP, type ResticJob } from '../core/job-spec.ts';
import type { VolumeOutcome, Work, WorkVolume } from '../core/record.ts';
import { repositoryUrl } from '../core/repository.ts';
import {
  backupArgs,
  DEFAULT_RESTIC,
  EXIT,
  failure,
  initArgs,
  parseSummary,
  unlockArgs,
  volumePath,
} from '../core/restic.ts';
import type { Holder } from '../core/volumes.ts';

/** A volume of the work list and its repository. */
export type VolumeWork = WorkVolume & { readonly gate: string };

/** The Job that backs one volume up, on the node that holds it. `init`: makes the repository first. */
export function backupJob(
  s: ClusterSettings,
  work: Pick<Work, 'plan' | 'backup'>,
  v: VolumeWork,
  bucket: string,
  {
    init,
    holder,
    attempt = 1,
  }: { readonly init: boolean; readonly holder?: Holder | undefined; readonly attempt?: number },
): ResticJob {
  const step = { repository: repositoryUrl(s.jobs.s3Endpoint, bucket, v.gate), region: s.vault.region };
  const path = volumePath(v.namespace, v.pvc);
  const options = s.plans.find((p) => p.name === work.plan)?.restic ?? DEFAULT_RESTIC;
  const fromNode = v.strategy === 'node' && v.folder !== undefined && holder !== undefined;
  return {
    run: work.backup,
    id: v.id,
    // A folder of the node is mounted in Holdfast's own namespace: the application's may not allow it.
    namespace: fromNode ? SYSTEM_NAMESPACE : v.namespace,
    settings: s.jobs,
    steps: [
      ...(init ? [{ ...step, name: 'init', args: initArgs() }] : []),
      // The first attempt may have failed for the lock of a Job that was killed.
      ...(!init && attempt > 1 ? [{ ...step, name: 'unlock', args: unlockArgs() }] : []),
      { ...step, name: BACKUP_STEP, args: backupArgs(s.cluster, work, v, options) },
    ],
    mount: fromNode
      ? { folder: folderPath(s.jobs.kubeletDir, holder.podUid, v.folder as string), path, readOnly: true }
      : { pvc: v.pvc, path, readOnly: true },
    ...(holder && { node: holder.node }),
    capabilities: ['DAC_READ_SEARCH'],
  };
}

const folderPath = (kubeletDir: string, podUid: string, folder: string): string =>
  folder.startsWith('/') ? folder : `${kubeletDir}/pods/${podUid}/volumes/${folder}`;

/** What a Job's end says of its volume. Only exit code 0 with a snapshot is protected; 3 is partial; all else failed. */
export function volumeOutcome(v: WorkVolume, end: JobEnd): VolumeOutcome {
  const { id, namespace, pvc, volumeName, reclaimPolicy } = v;
  const of = {
    id,
    namespace,
    pvc,
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
