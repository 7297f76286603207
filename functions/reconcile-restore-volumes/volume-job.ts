import type { ClusterSettings } from '../contract/settings.ts';
import type { JobEnd } from '../core/job-loop.ts';
import type { ResticJob } from '../core/job-spec.ts';
import type { VolumeOutcome } from '../core/record.ts';
import { repositoryUrl } from '../core/repository.ts';
import { EXIT, failure, parseSummary, restoreArgs, volumePath } from '../core/restic.ts';
import type { AppliedItem } from '../runtime/restore-documents.ts';

/** A snapshot to be put into a fresh claim of the same name. */
export type RestoreWork = VolumeOutcome & {
  readonly gate: string;
  readonly snapshot: string;
  /** Namespace of the fresh claim. */
  readonly into: string;
};

/** Volumes whose claim this restore created: one that was there before is somebody's data and is not touched. */
export function volumesToFill(
  volumes: readonly VolumeOutcome[],
  applied: readonly AppliedItem[],
  repositoryOf: (namespace: string) => string,
  mapping: Readonly<Record<string, string>> = {},
): RestoreWork[] {
  const created = new Set(
    applied
      .filter((a) => a.groupResource === 'persistentvolumeclaims' && a.result === 'created')
      .map((a) => `${a.namespace}.${a.name}`),
  );
  return volumes.flatMap((v) => {
    const into = mapping[v.namespace] ?? v.namespace;
    if (!v.snapshot || !created.has(`${into}.${v.pvc}`)) return [];
    return [{ ...v, snapshot: v.snapshot, gate: repositoryOf(v.namespace), into }];
  });
}

/** The Job that fills a fresh claim and reads everything back (`--verify`). Being its first consumer, it also decides its node. */
export function restoreJob(
  s: ClusterSettings,
  restore: string,
  v: RestoreWork,
  from: 'primary' | 'replica',
  bucket: string,
): ResticJob {
  const path = volumePath(v.namespace, v.pvc);
  const [endpoint, region] =
    from === 'primary'
      ? [s.jobs.s3Endpoint, s.vault.region]
      : [s.jobs.replicaS3Endpoint, s.vault.replicaRegion];
  return {
    run: restore,
    id: v.id,
    namespace: v.into,
    settings: s.jobs,
    steps: [
      {
        name: 'restore',
        repository: repositoryUrl(endpoint, bucket, v.gate),
        region,
        args: restoreArgs(v.snapshot, v, path),
      },
    ],
    mount: { pvc: v.pvc, path, readOnly: false },
    capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP'],
  };
}

/** What a restore Job's end says of its volume. */
export function restoredOutcome(v: RestoreWork, end: JobEnd): VolumeOutcome {
  const { id, namespace, pvc, snapshot } = v;
  const summary = parseSummary(end.log);
  const of = { id, namespace, pvc, snapshot, seconds: end.seconds };
  if (end.exitCode === EXIT.ok && summary)
    return { ...of, result: 'protected', files: summary.files, bytes: summary.bytes };
  return { ...of, result: 'failed', message: failure(end) };
}
