import type { VaultCopy } from '../../contract/copies.ts';
import type { RestoreFiles } from '../../contract/restore-options.ts';
import type { JobSettings } from '../../contract/settings.ts';
import type { ResticJob } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { failure, parseSummary } from '../../core/restic/log.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import { EXIT, restoreArgs, restoreFilesArgs } from '../../core/restic/restic.ts';
import { sourcePath } from '../../core/restic/source.ts';
import type { Holder } from '../../core/volumes/strategy.ts';
import type { VolumeOutcome } from '../../core/volumes/work.ts';
import type { AppliedItem } from '../documents.ts';

/** A snapshot to restore into a new claim of the same name. */
export type RestoreWork = VolumeOutcome & {
  readonly repository: string;
  readonly snapshot: string;
  readonly pvc: string;
  /** Namespace of the claim. */
  readonly into: string;
  /** Of the claim that the restore created. */
  readonly uid?: string | undefined;
  /** Only these files, into this folder of the claim, which is in use. */
  readonly only?: { readonly include: readonly string[]; readonly to: string };
};

/** Where volumes are restored from and to. */
export interface RestoreWorkContext {
  /** Key prefix of the repository of a namespace. */
  repositoryOf(namespace: string): string;
  /** New names of namespaces. */
  readonly mapping?: Readonly<Record<string, string>> | undefined;
}

/** Restores files of a volume into an existing claim: into a new folder, unless `to` names one. */
export function filesToRestore(
  volumes: readonly VolumeOutcome[],
  { include, to }: RestoreFiles,
  restore: string,
  { repositoryOf, mapping = {} }: RestoreWorkContext,
): RestoreWork[] {
  return volumes.flatMap((v) => {
    if (!v.snapshot || !v.pvc) return [];
    const only = { include, to: to ?? `/holdfast-${restore}` };
    const into = mapping[v.namespace] ?? v.namespace;
    return [{ ...v, pvc: v.pvc, snapshot: v.snapshot, repository: repositoryOf(v.namespace), into, only }];
  });
}

/** Volumes whose claim this restore created. Claims that existed before are not written to. */
export function volumesToFill(
  volumes: readonly VolumeOutcome[],
  applied: readonly AppliedItem[],
  { repositoryOf, mapping = {} }: RestoreWorkContext,
): RestoreWork[] {
  const created = new Map(
    applied
      .filter((a) => a.groupResource === 'persistentvolumeclaims' && a.result === 'created')
      .map((a) => [`${a.namespace}.${a.name}`, a]),
  );
  return volumes.flatMap((v) => {
    const into = mapping[v.namespace] ?? v.namespace;
    const claim = created.get(`${into}.${v.pvc}`);
    if (!v.snapshot || !v.pvc || !claim) return [];
    const { uid } = claim;
    return [{ ...v, pvc: v.pvc, snapshot: v.snapshot, repository: repositoryOf(v.namespace), into, uid }];
  });
}

/** What the Jobs of one restore have in common. */
export interface RestoreJobContext {
  readonly settings: JobSettings;
  readonly restore: string;
  /** The copy whose repositories are read. */
  readonly from: VaultCopy;
}

/** The Job that fills a new claim and verifies it (`--verify`). As the first consumer of the claim it decides the node. */
export function restoreJob(
  { settings, restore, from }: RestoreJobContext,
  v: RestoreWork,
  holder?: Holder,
): ResticJob {
  const path = sourcePath(v);
  return {
    run: restore,
    id: v.id,
    namespace: v.into,
    settings,
    steps: [
      {
        name: 'restore',
        ...repositoryIn(from, v.repository),
        args: v.only
          ? restoreFilesArgs(v.snapshot, path, `${path}${v.only.to}`.replace(/\/$/, ''), v.only.include)
          : restoreArgs(v.snapshot, path, path),
      },
    ],
    mount: { pvc: v.pvc, path, readOnly: false },
    ...(holder && { node: holder.node }),
    capabilities: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP'],
  };
}

/** The outcome of a volume, from the end of its Job. */
export function restoredOutcome(v: RestoreWork, end: JobEnd): VolumeOutcome {
  const { id, namespace, pvc, snapshot } = v;
  const summary = parseSummary(end.log);
  const of = { id, namespace, pvc, snapshot, seconds: end.seconds };
  if (end.exitCode === EXIT.ok && summary && v.only && summary.files === 0)
    return {
      ...of,
      result: 'failed',
      message: `nothing in the snapshot matches ${v.only.include.join(', ')}`,
    };
  if (end.exitCode === EXIT.ok && summary)
    return { ...of, result: 'protected', files: summary.files, bytes: summary.bytes };
  return { ...of, result: 'failed', message: failure(end) };
}
