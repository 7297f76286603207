import type { ClusterSettings } from '../contract/settings.ts';
import type { JobEnd } from '../core/job-loop.ts';
import { type ResticJob, volumePath } from '../core/job-spec.ts';
import type { VolumeOutcome, Work, WorkVolume } from '../core/record.ts';
import { repositoryUrl } from '../core/repository.ts';
import { backupArgs, EXIT, initArgs, lastWords, parseSummary } from '../core/restic.ts';

/** A volume of the work list and its repository. */
export type VolumeWork = WorkVolume & { readonly gate: string };

/** The Job that backs one volume up, in its own namespace, on the node that holds it. `init`: makes the repository first. */
export function backupJob(
  s: ClusterSettings,
  work: Work,
  v: VolumeWork,
  bucket: string,
  init: boolean,
): ResticJob {
  const step = { repository: repositoryUrl(s.jobs.s3Endpoint, bucket, v.gate), region: s.vault.region };
  return {
    run: work.backup,
    id: v.id,
    namespace: v.namespace,
    image: s.jobs.resticImage,
    imagePullSecrets: s.jobs.imagePullSecrets,
    steps: [
      ...(init ? [{ ...step, name: 'init', args: initArgs() }] : []),
      { ...step, name: 'backup', args: backupArgs(s.cluster, work.backup, work.plan, v) },
    ],
    mount: { pvc: v.pvc, path: volumePath(v.namespace, v.pvc), readOnly: true },
    ...(v.node && { node: v.node }),
    capabilities: ['DAC_READ_SEARCH'],
  };
}

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
  const why =
    end.exitCode === undefined
      ? `the Job's container did not run${end.message ? `: ${end.message}` : ''}`
      : `restic ended with code ${end.exitCode}: ${lastWords(end.log)}`;
  return { ...of, result: 'failed', message: why };
}
