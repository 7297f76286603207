import * as z from 'zod/mini';
import { Phase } from '../../contract/phase.ts';
import { Selection } from '../../contract/settings.ts';
import { plainText } from '../kubernetes/plain-text.ts';
import { sourceName } from '../restic/source.ts';
import { failedHooks, HookOutcome, PodHooks } from '../volumes/hooks.ts';
import { LeftOut, VolumeOutcome, WorkVolume } from '../volumes/work.ts';
import { CONTROL_PLANE, ControlPlaneOutcome, ControlPlaneWork } from './control-plane.ts';

/** LeftOut in a record. Records of the first releases had only the name. */
const StoredLeftOut = z.union([
  LeftOut,
  z.pipe(
    z.string(),
    z.transform((volume): LeftOut => ({ volume, reason: 'no pod opted it in' })),
  ),
]);

/** Work list of a backup. Written once when it is opened, read by every later step. */
export const Work = z.object({
  plan: z.string(),
  backup: z.string(),
  startedAt: z.string(),
  namespaces: z.array(z.string()),
  /** Most of the cluster's namespaces are in the backup: a type is then read with one list instead of one list per namespace. */
  wide: z.boolean(),
  selection: Selection,
  tags: z.optional(z.array(z.string())),
  volumes: z.array(WorkVolume),
  controlPlane: z.optional(ControlPlaneWork),
  hooks: z.optional(z.array(PodHooks)),
  /** Claims that a rule or an annotation excludes. */
  excluded: z.array(LeftOut),
  /** Claims that no rule or annotation includes or excludes. */
  unprotected: z.array(LeftOut),
  /** What makes the backup PartiallyFailed before it starts: a namespace or volume that does not exist. */
  problems: z.array(z.string()),
});
export type Work = z.infer<typeof Work>;

/** Result of the export. */
export const ResourceResult = z.object({
  items: z.int(),
  bytes: z.int(),
  archiveBytes: z.int(),
  sha256: z.string(),
  /** The resourceVersion at which all types were read, if `exact`. */
  resourceVersion: z.string(),
  consistency: z.enum(['exact', 'per-type']),
  /** Types that were not read at this resourceVersion. */
  inexact: z.array(z.string()),
  /** Types or groups that could not be read at all. */
  unreadable: z.array(z.string()),
  /** What else is missing, one sentence each: it makes the backup PartiallyFailed. */
  problems: z.optional(z.array(z.string())),
  /** Objects that are not in the archive and that nobody could have restored. */
  notes: z.optional(z.array(z.string())),
  /** By `plural.group`: number of objects, and a digest to compare two backups. */
  types: z.record(z.string(), z.object({ items: z.int(), digest: z.string() })),
  shards: z.int(),
  seconds: z.number(),
});
export type ResourceResult = z.infer<typeof ResourceResult>;

/** Progress of the Jobs of a backup or restore. Rewritten by each reconciliation pass. */
export const Progress = z.object({
  at: z.string(),
  volumes: z.array(
    z.object({
      volume: z.string(),
      state: z.enum(['waiting', 'starting', 'running', 'done']),
      /** Why its pod cannot start. */
      blocker: z.optional(z.string()),
      percent: z.optional(z.number()),
      files: z.optional(z.int()),
      bytes: z.optional(z.int()),
      totalBytes: z.optional(z.int()),
      bytesPerSecond: z.optional(z.int()),
    }),
  ),
});
export type Progress = z.infer<typeof Progress>;

const Counts = { added: z.int(), changed: z.int(), removed: z.int() };

/** Changes of objects since an earlier backup of the plan. */
export const ChangesSince = z.object({
  since: z.string(),
  ...Counts,
  types: z.record(z.string(), z.object(Counts)),
});
export type ChangesSince = z.infer<typeof ChangesSince>;

const Integrity = z.object({ key: z.string(), bytes: z.int(), sha256: z.string() });

/** record.json, the commit marker. A recovery point exists when its record does. */
export const BackupRecord = z.object({
  version: z.literal(1),
  cluster: z.string(),
  plan: z.string(),
  backup: z.string(),
  phase: Phase,
  /** Why the phase is not Completed, one sentence per reason. */
  reasons: z.array(z.string()),
  startedAt: z.string(),
  completedAt: z.string(),
  /** Tags from the input, for the retention rule keepTags. */
  tags: z.optional(z.array(z.string())),
  namespaces: z.array(z.string()),
  resources: z.optional(ResourceResult),
  /** Absent for the first backup of a plan. */
  changes: z.optional(ChangesSince),
  volumes: z.array(VolumeOutcome),
  /** For plans with controlPlane: etcd, and the files of each control-plane node. */
  controlPlane: z.optional(z.array(ControlPlaneOutcome)),
  /** Hooks that have run, with what they wrote. */
  hooks: z.optional(z.array(HookOutcome)),
  excluded: z._default(z.array(LeftOut), []),
  unprotected: z.array(StoredLeftOut),
  /** Every object of the recovery point outside the restic repositories. */
  objects: z.array(Integrity),
});
export type BackupRecord = z.infer<typeof BackupRecord>;

/** replica.json: the proof that the replica contained the complete recovery point. */
export const ReplicaProof = z.object({
  backup: z.string(),
  region: z.string(),
  bucket: z.string(),
  provenAt: z.string(),
  objects: z.int(),
  bytes: z.int(),
  copied: z.int(),
  /** Newly proven copies that were read because S3 had no sha256 for them. */
  read: z.optional(z.int()),
});
export type ReplicaProof = z.infer<typeof ReplicaProof>;

/** lock.json: until when Object Lock protects all objects of this copy of the recovery point. Written after the locks. */
export const RecoveryPointLock = z.object({
  mode: z.enum(['GOVERNANCE', 'COMPLIANCE']),
  /** ISO 8601. */
  until: z.string(),
  /** When the pass began that wrote this. Absent before 0.2.0. */
  began: z.optional(z.string()),
});
export type RecoveryPointLock = z.infer<typeof RecoveryPointLock>;

/** Reason of a backup in which a namespace is on its way out: objects of it may be missing. */
export const isBeingDeleted = (namespace: string): string => `namespace ${namespace} is being deleted`;

/** The results of a backup's steps, from which its phase follows. */
export interface PhaseContext {
  readonly resources: ResourceResult;
  readonly volumes: readonly VolumeOutcome[];
  readonly controlPlane?: readonly ControlPlaneOutcome[];
  readonly hooks?: readonly HookOutcome[];
}

/** Longest reason. Each names a thing by what its namespace says of it. */
const REASON_LENGTH = 1000;

/** Decides the phase from the results of the steps, with one reason for everything that is incomplete. */
export function decidePhase(
  work: Work,
  { resources, volumes, controlPlane = [], hooks = [] }: PhaseContext,
): { phase: Phase; reasons: string[] } {
  const byId = new Map(volumes.map((v) => [v.id, v]));
  const reasons = [
    ...work.problems,
    ...resources.unreadable.map((type) => `${type} could not be read`),
    ...(resources.problems ?? []),
    ...failedHooks(hooks),
    ...missingOfControlPlane(work.controlPlane, controlPlane),
    ...work.volumes.flatMap((v) => {
      const outcome = byId.get(v.id);
      if (outcome?.result === 'protected') return [];
      return [`${sourceName(v)}: ${outcome ? (outcome.message ?? outcome.result) : 'no result'}`];
    }),
  ];
  // A namespace that is being deleted is seen when the backup is opened, and again by the export.
  const said = new Set(reasons.map((reason) => plainText(reason, 'start', REASON_LENGTH)));
  return { phase: said.size === 0 ? 'Completed' : 'PartiallyFailed', reasons: [...said] };
}

function missingOfControlPlane(
  work: ControlPlaneWork | undefined,
  outcomes: readonly ControlPlaneOutcome[],
): string[] {
  if (!work) return [];
  const byId = new Map(outcomes.map((o) => [o.id, o]));
  const wanted = [
    ...(work.endpoints.length > 0 ? ['etcd'] : []),
    // Without a snapshot there is nothing to open; the missing snapshot is a reason itself.
    ...(work.scratch && byId.get('etcd')?.snapshot ? ['etcd-scratch'] : []),
    ...work.nodes.map((node) => `files.${node}`),
  ];
  return wanted.flatMap((id) => {
    const outcome = byId.get(id);
    if (outcome?.result === 'protected') return [];
    return [`control plane, ${id}: ${outcome?.message ?? 'no result'}`];
  });
}

/** Every restic snapshot of a recovery point, by the namespace of its repository. */
export function snapshotsIn(
  record: BackupRecord,
): { readonly namespace: string; readonly snapshot: string }[] {
  const controlPlane = (record.controlPlane ?? []).map(({ snapshot }) => ({
    namespace: CONTROL_PLANE,
    snapshot,
  }));
  return [...record.volumes, ...controlPlane].flatMap(({ namespace, snapshot }) =>
    snapshot ? [{ namespace, snapshot }] : [],
  );
}
