import * as z from 'zod/mini';
import { parseDuration } from './duration.ts';

/**
 * The settings from holdfast.yaml for the functions of one cluster. Written at synth as cluster.json next to
 * each function's code, so that code and configuration are deployed and rolled back together.
 */

/** `kubeconfig`: Secrets Manager secrets, one for backups and one for restores. `eks`: IAM, through access entries. */
export const AccessSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kubeconfig'), backupSecret: z.string(), restoreSecret: z.string() }),
  z.strictObject({ kind: z.literal('eks'), name: z.string(), region: z.string() }),
]);
export type AccessSettings = z.infer<typeof AccessSettings>;

/**
 * Which objects a plan backs up, with Velero's field names. Lists of resources are `plural.group`, a plural alone, or
 * a pattern with `*` and `?`; an empty list of what is included means everything.
 */
export const Selection = z.strictObject({
  /** Names or patterns; `*` is every namespace. */
  namespaces: z.array(z.string()).check(z.minLength(1)),
  excludedNamespaces: z.array(z.string()),
  includedResources: z.array(z.string()),
  excludedResources: z.array(z.string()),
  /** Velero's newer filters, one set per scope. */
  includedNamespaceScopedResources: z.array(z.string()),
  excludedNamespaceScopedResources: z.array(z.string()),
  includedClusterScopedResources: z.array(z.string()),
  excludedClusterScopedResources: z.array(z.string()),
  /** true: all cluster-scoped objects; false: none; absent: all when every namespace is included, else those that belong to what is. */
  includeClusterResources: z.optional(z.boolean()),
  /** One kubectl label selector, or several of which an object must match one. */
  labelSelector: z.optional(z.string()),
  orLabelSelectors: z.array(z.string()),
});
export type Selection = z.infer<typeof Selection>;

/**
 * How a Job reads the data of a claim: it mounts the claim, a claim created from a CSI snapshot, or the claim's folder on
 * the node that has it mounted.
 */
export const Strategy = z.enum(['mount', 'snapshot', 'node']);
export type Strategy = z.infer<typeof Strategy>;

/** What to do with claims that match all conditions. The first matching rule applies. */
export const VolumeRule = z.strictObject({
  name: z.string(),
  /** Patterns; empty: any. */
  storageClasses: z.array(z.string()),
  /** Fields of a PersistentVolume's source, like `csi`, `nfs`, `hostPath`; empty: any. */
  volumeTypes: z.array(z.string()),
  labelSelector: z.optional(z.string()),
  /** Limits of the size that the claim requests. */
  minBytes: z.optional(z.number()),
  maxBytes: z.optional(z.number()),
  action: z.enum(['skip', ...Strategy.options]),
  /** For `snapshot`: the VolumeSnapshotClass, and the storage class of the claim that is created from the snapshot. */
  snapshotClass: z.optional(z.string()),
  temporaryStorageClass: z.optional(z.string()),
  /** Reads as this user instead of root. Root needs a capability that the restricted Pod Security level does not allow. */
  runAsUser: z.optional(z.int()),
});
export type VolumeRule = z.infer<typeof VolumeRule>;

/** Options of `restic backup`. */
export const ResticOptions = z.strictObject({
  /** Patterns of excluded files (`--exclude`), and names of marker files that exclude their folder (`--exclude-if-present`). */
  excludes: z.array(z.string()),
  excludeIfPresent: z.array(z.string()),
  compression: z.enum(['auto', 'max', 'off']),
  readConcurrency: z.optional(z.int()),
  limitUploadKiB: z.optional(z.int()),
});
export type ResticOptions = z.infer<typeof ResticOptions>;

const keepCount = z.optional(z.int().check(z.positive()));
const duration = z.optional(
  z.string().check(z.refine((text) => parseDuration(text) !== undefined, 'is not a duration')),
);

/** Retention rules, with the semantics of `restic forget`. A recovery point is kept if any rule keeps it. */
export const Retention = z.strictObject({
  keepLast: keepCount,
  /** The newest of each of the last n hours, days, ISO weeks, months or years (in the plan's time zone) that have one. */
  keepHourly: keepCount,
  keepDaily: keepCount,
  keepWeekly: keepCount,
  keepMonthly: keepCount,
  keepYearly: keepCount,
  /** All that are not older than this, counted from the newest; or the newest of each hour, day, … among them. */
  keepWithin: duration,
  keepWithinHourly: duration,
  keepWithinDaily: duration,
  keepWithinWeekly: duration,
  keepWithinMonthly: duration,
  keepWithinYearly: duration,
  /** Recovery points that have all tags of one of these lists. */
  keepTags: z.optional(z.array(z.array(z.string()).check(z.minLength(1)))),
  /** Older recovery points are removed, regardless of the other rules. */
  ttl: duration,
});
export type Retention = z.infer<typeof Retention>;

export const PlanSettings = z.strictObject({
  name: z.string(),
  selection: Selection,
  /** `opt-in`: volumes named in backup.velero.io/backup-volumes; `opt-out`: all but those in -excludes; `none`: no volumes. */
  volumes: z.enum(['opt-in', 'opt-out', 'none']),
  volumeRules: z.array(VolumeRule),
  restic: ResticOptions,
  /** Whether etcd and the files of control-plane nodes are part of the backup. */
  controlPlane: z.boolean(),
  /** Whether each snapshot of etcd is opened in a scratch server. */
  scratchEtcd: z.boolean(),
  retention: Retention,
  /** Retention of the replica. Default: the same. */
  replicaRetention: z.optional(Retention),
  /** Time zone in which retention counts hours, days, weeks, months and years. */
  timeZone: z.string(),
});
export type PlanSettings = z.infer<typeof PlanSettings>;

/** A plan that makes no backups any more: what is kept of its recovery points. */
const RetiredPlan = z.strictObject({
  name: z.string(),
  retention: Retention,
  replicaRetention: z.optional(Retention),
  timeZone: z.string(),
});

export const JobSettings = z.strictObject({
  resticImage: z.string(),
  /** An image with kubectl, for dump Jobs. */
  kubectlImage: z.string(),
  imagePullSecrets: z.array(z.string()),
  /** Service account in each namespace whose AWS identity its volume backups use. Default: Jobs get temporary credentials. */
  backupServiceAccount: z.optional(z.string()),
  /** S3 endpoints for pods, with scheme. Default: the public endpoint of the copy's region, see copies.ts. */
  s3Endpoint: z.optional(z.string()),
  replicaS3Endpoint: z.optional(z.string()),
  /** Jobs that may run at once in the cluster, and on one node. */
  concurrency: z.int().check(z.positive()),
  concurrencyPerNode: z.int().check(z.positive()),
  /** Kubernetes quantities. A second attempt has twice the memory. */
  resources: z.strictObject({ cpu: z.string(), memory: z.string(), memoryLimit: z.string() }),
  tolerations: z.array(z.record(z.string(), z.unknown())),
  priorityClassName: z.optional(z.string()),
  /** activeDeadlineSeconds of a Job. */
  deadlineSeconds: z.int().check(z.positive()),
  /** A Job whose pod has not started within this time has failed. */
  startSeconds: z.int().check(z.positive()),
  /** The kubelet's root folder on the nodes. */
  kubeletDir: z.string(),
});
export type JobSettings = z.infer<typeof JobSettings>;

/** How etcd and the files of control-plane nodes are reached. */
export const ControlPlaneSettings = z.strictObject({
  /** An image with etcdctl and etcdutl. */
  etcdImage: z.string(),
  /** Client URLs of the members; empty: as kubeadm's static pods say. */
  endpoints: z.array(z.string()),
  /** A Secret in Holdfast's namespace with ca.crt, tls.crt and tls.key. Default: the files on the node. */
  tlsSecret: z.optional(z.string()),
  /** Folder of the files on the node, and the etcd client certificate below it. */
  folder: z.string(),
  caFile: z.string(),
  certFile: z.string(),
  keyFile: z.string(),
});
export type ControlPlaneSettings = z.infer<typeof ControlPlaneSettings>;

/** Limits of what a prune run removes. */
const PruneSettings = z.strictObject({
  /** Percent of a plan's recovery points in a copy. */
  maxShare: z.int().check(z.minimum(1), z.maximum(100)),
  /** Grace period of orphaned objects and snapshots. */
  orphanGraceDays: z.int().check(z.minimum(2)),
});

/** A Velero BackupStorageLocation to restore from. `prefix` is empty or ends with a slash. */
export const VeleroSource = z.strictObject({
  name: z.string(),
  bucket: z.string(),
  region: z.string(),
  prefix: z.string(),
});
export type VeleroSource = z.infer<typeof VeleroSource>;

/** Object Lock modes of S3. GOVERNANCE can be bypassed with a permission of its own, COMPLIANCE cannot be bypassed. */
export const LockMode = z.enum(['GOVERNANCE', 'COMPLIANCE']);
export type LockMode = z.infer<typeof LockMode>;

/** Object Lock of both buckets. */
export const ObjectLockSettings = z.strictObject({ mode: LockMode, days: z.number().check(z.positive()) });
export type ObjectLockSettings = z.infer<typeof ObjectLockSettings>;

export const ClusterSettings = z.strictObject({
  cluster: z.string(),
  access: AccessSettings,
  /** Locations of the two copies, see copies.ts. */
  vault: z.strictObject({
    name: z.string(),
    region: z.string(),
    replicaRegion: z.string(),
    account: z.optional(z.string()),
    replicaAccount: z.optional(z.string()),
    /** S3 replication is enabled. It also replicates restic's locks. */
    continuous: z.optional(z.boolean()),
    /** Default: no Object Lock. */
    objectLock: z.optional(ObjectLockSettings),
  }),
  jobs: JobSettings,
  controlPlane: ControlPlaneSettings,
  veleroSources: z.array(VeleroSource),
  /** Number of runs in which all packs are read. */
  verification: z.strictObject({ parts: z.int().check(z.minimum(1), z.maximum(256)) }),
  /** Objects per export function; the export of a larger cluster is split. */
  shardItems: z.int().check(z.positive()),
  prune: PruneSettings,
  plans: z.array(PlanSettings).check(z.minLength(1)),
  /** Plans that were removed and whose recovery points retention still applies to. */
  retired: z.optional(z.array(RetiredPlan)),
});
export type ClusterSettings = z.infer<typeof ClusterSettings>;
