import * as z from 'zod/mini';
import { Strategy } from '../../contract/settings.ts';

/** Whose data it is: one of a claim, a volume of a pod that is no claim, and what a command in a pod writes. */
export const Source = {
  namespace: z.string(),
  pvc: z.optional(z.string()),
  podVolume: z.optional(z.object({ pod: z.string(), volume: z.string() })),
  /** `workload`: the pod, or the name that pods have in common which replace one another. */
  dump: z.optional(z.object({ workload: z.string(), file: z.string() })),
};

/** A piece of data of the work list. */
export const WorkVolume = z.object({
  /** Names its result file: `<namespace>.<pvc>`, `<namespace>.<pod>_<volume>` or `<namespace>._<workload>`. No part can hold a slash, and no name of Kubernetes an underscore. */
  id: z.string(),
  ...Source,
  /** The PersistentVolume it is bound to. */
  volumeName: z.optional(z.string()),
  reclaimPolicy: z.optional(z.string()),
  /** A pod that mounts it, and that pod's node, as seen when the backup was opened. */
  pod: z.optional(z.string()),
  node: z.optional(z.string()),
  /** `command`: what a command in a pod writes. */
  strategy: z.enum([...Strategy.options, 'command']),
  /** For the strategy `node`: where its files are, below the pod's `volumes` folder, or absolute for hostPath volumes. */
  folder: z.optional(z.string()),
  /** The user who reads its files; absent: root. */
  runAsUser: z.optional(z.int()),
  /** For the strategy `snapshot`: what a claim of the snapshot must be like. */
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

/** A claim of which nothing is backed up, and why. */
export const LeftOut = z.object({ volume: z.string(), reason: z.string() });

export type LeftOut = z.infer<typeof LeftOut>;

/** How the backup of one piece of data ended. */
export const VolumeOutcome = z.object({
  id: z.string(),
  ...Source,
  volumeName: z.optional(z.string()),
  reclaimPolicy: z.optional(z.string()),
  result: z.enum(['protected', 'partial', 'failed']),
  snapshot: z.optional(z.string()),
  files: z.optional(z.int()),
  bytes: z.optional(z.int()),
  message: z.optional(z.string()),
  seconds: z.optional(z.number()),
});

export type VolumeOutcome = z.infer<typeof VolumeOutcome>;
