import * as z from 'zod/mini';
import { Strategy } from '../../contract/settings.ts';
import { ResticId } from '../restic/ids.ts';

/** Source of the data: exactly one of a claim, a pod volume without a claim, and a dump of a command. */
const Source = {
  namespace: z.string(),
  pvc: z.optional(z.string()),
  podVolume: z.optional(z.object({ pod: z.string(), volume: z.string() })),
  /** `workload`: the pod's name, or the ReplicaSet's name without its hash. */
  dump: z.optional(z.object({ workload: z.string(), file: z.string() })),
};

/** A piece of data of the work list. */
export const WorkVolume = z.object({
  /** Names its result file: `<namespace>.<pvc>`, `<namespace>.<pod>_<volume>` or `<namespace>._<workload>`. No part contains a slash, and Kubernetes names contain no underscore. */
  id: z.string(),
  ...Source,
  /** The PersistentVolume it is bound to. */
  volumeName: z.optional(z.string()),
  reclaimPolicy: z.optional(z.string()),
  /** A pod that mounts it, and that pod's node, when the backup was opened. */
  pod: z.optional(z.string()),
  node: z.optional(z.string()),
  /** `command`: the output of a command in a pod. */
  strategy: z.enum([...Strategy.options, 'command']),
  /** For the strategy `node`: the folder of its files, relative to the pod's `volumes` folder, or absolute for hostPath volumes. */
  folder: z.optional(z.string()),
  /** User id that reads its files. Default: root. */
  runAsUser: z.optional(z.int()),
  /** For the strategy `snapshot`: settings of the claim created from the snapshot. */
  csi: z.optional(
    z.object({
      driver: z.string(),
      size: z.string(),
      storageClass: z.string(),
      snapshotClass: z.optional(z.string()),
    }),
  ),
});

export type WorkVolume = z.infer<typeof WorkVolume>;

/** A claim that is not backed up, and why. */
export const LeftOut = z.object({ volume: z.string(), reason: z.string() });

export type LeftOut = z.infer<typeof LeftOut>;

/** Result of the backup of one volume or dump. */
export const VolumeOutcome = z.object({
  id: z.string(),
  ...Source,
  volumeName: z.optional(z.string()),
  reclaimPolicy: z.optional(z.string()),
  result: z.enum(['protected', 'partial', 'failed']),
  snapshot: z.optional(ResticId),
  files: z.optional(z.int()),
  bytes: z.optional(z.int()),
  message: z.optional(z.string()),
  seconds: z.optional(z.number()),
});

export type VolumeOutcome = z.infer<typeof VolumeOutcome>;
