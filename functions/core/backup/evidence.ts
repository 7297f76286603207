import { plainText } from '../kubernetes/plain-text.ts';
import type { ResticId } from '../restic/ids.ts';
import type { SnapshotFacts } from '../restic/snapshot-file.ts';
import { sourcePath } from '../restic/source.ts';
import type { VolumeOutcome, WorkVolume } from '../volumes/work.ts';
import { CONTROL_PLANE, type ControlPlaneOutcome, ETCD_PATH, filesPath } from './control-plane.ts';

/** Where the snapshot of an outcome must be. */
export interface SnapshotPlace {
  /** Whose repository it is in. */
  readonly namespace: string;
  /** The only path in it. */
  readonly path: string;
}

/** An outcome, and where its snapshot must be; no place: the outcome is of something that has no snapshot. */
export interface Claim<O> {
  readonly outcome: O;
  readonly place: SnapshotPlace | undefined;
}

/** The claim of a volume of the work list. */
export const volumeClaim = (v: WorkVolume, outcome: VolumeOutcome): Claim<VolumeOutcome> => ({
  outcome,
  place: { namespace: v.namespace, path: sourcePath(v) },
});

/** The claim of a part of the control plane. `node`: whose files it is of. */
export function controlPlaneClaim(
  outcome: ControlPlaneOutcome,
  nodes: readonly string[],
): Claim<ControlPlaneOutcome> {
  const node = nodes.find((n) => outcome.id === `files.${n}`);
  const path = outcome.id === 'etcd' ? ETCD_PATH : node && filesPath(node);
  return { outcome, place: path === undefined ? undefined : { namespace: CONTROL_PLANE, path } };
}

/** The snapshot that a backup of a cluster should have taken of a path. */
export interface ExpectedSnapshot {
  readonly cluster: string;
  readonly backup: string;
  readonly path: string;
}

/** Why a snapshot is not that of a backup; undefined if it is. */
export function snapshotFault(facts: SnapshotFacts, expected: ExpectedSnapshot): string | undefined {
  const { cluster, backup, path } = expected;
  const of = facts.tags.filter((tag) => tag.startsWith('backup='));
  if (of.length !== 1 || of[0] !== `backup=${backup}`)
    return `is not of this backup, but has the tags ${listed(facts.tags)}`;
  if (facts.hostname !== cluster) return `is not of this cluster, but of ${listed([facts.hostname])}`;
  if (facts.paths.length !== 1 || facts.paths[0] !== path)
    return `is not of ${path}, but of ${listed(facts.paths)}`;
  return undefined;
}

const listed = (words: readonly string[]): string =>
  words.length > 0 ? plainText(words.map((word) => JSON.stringify(word)).join(', ')) : 'none';

/** An outcome whose snapshot was read: the size is that of the snapshot. */
export function withFacts<O extends { readonly snapshot?: ResticId | undefined }>(
  outcome: O,
  { files, bytes }: SnapshotFacts,
): O {
  const { files: _f, bytes: _b, ...rest } = outcome as O & { files?: number; bytes?: number };
  return { ...(rest as O), ...(files !== undefined && { files }), ...(bytes !== undefined && { bytes }) };
}
