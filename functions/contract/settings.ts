import * as z from 'zod/mini';

/**
 * What the functions of one cluster need to know of holdfast.yaml. Written at synth as cluster.json beside
 * each function's code, so that code and configuration are deployed and rolled back as one.
 */

/** `kubeconfig`: Secrets Manager secrets, one for backups and one for restores. `eks`: IAM, through access entries. */
export const AccessSettings = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('kubeconfig'), backupSecret: z.string(), restoreSecret: z.string() }),
  z.strictObject({ kind: z.literal('eks'), name: z.string(), region: z.string() }),
]);
export type AccessSettings = z.infer<typeof AccessSettings>;

/**
 * Which objects a plan backs up, in Velero's words. Lists of resources are `plural.group`, a plural alone, or
 * a pattern with `*` and `?`; an empty list of what is included means everything.
 */
export const Selection = z.strictObject({
  /** Names or patterns; `*` is every namespace. */
  namespaces: z.array(z.string()).check(z.minLength(1)),
  excludedNamespaces: z.array(z.string()),
  includedResources: z.array(z.string()),
  excludedResources: z.array(z.string()),
  /** Velero's newer filters, which tell the two scopes apart. */
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

export const PlanSettings = z.strictObject({
  name: z.string(),
  selection: Selection,
  /** `opt-in`: volumes named in backup.velero.io/backup-volumes; `none`: no volumes. */
  volumes: z.enum(['opt-in', 'none']),
  retention: z.strictObject({ keepLast: z.int().check(z.positive()) }),
});
export type PlanSettings = z.infer<typeof PlanSettings>;

export const JobSettings = z.strictObject({
  resticImage: z.string(),
  imagePullSecrets: z.array(z.string()),
  /** S3 endpoints as a pod sees them, with scheme: a region's public one unless configured otherwise. */
  s3Endpoint: z.string(),
  replicaS3Endpoint: z.string(),
  /** Jobs that may run at once in the cluster. */
  concurrency: z.int().check(z.positive()),
});
export type JobSettings = z.infer<typeof JobSettings>;

/** A backup storage location of a Velero, to restore from. `prefix` is empty or ends with a slash. */
export const VeleroSource = z.strictObject({
  name: z.string(),
  bucket: z.string(),
  region: z.string(),
  prefix: z.string(),
});
export type VeleroSource = z.infer<typeof VeleroSource>;

export const ClusterSettings = z.strictObject({
  cluster: z.string(),
  access: AccessSettings,
  vault: z.strictObject({ region: z.string(), replicaRegion: z.string() }),
  jobs: JobSettings,
  veleroSources: z.array(VeleroSource),
  /** Objects that one function exports; larger clusters are split. */
  shardItems: z.int().check(z.positive()),
  plans: z.array(PlanSettings).check(z.minLength(1)),
});
export type ClusterSettings = z.infer<typeof ClusterSettings>;
