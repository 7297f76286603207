import * as z from 'zod';
import { quantity } from '../../functions/contract/quantity.ts';
import { Strategy } from '../../functions/contract/settings.ts';
import { DURATION } from './duration.ts';
import { Retention } from './retention.ts';
import {
  amount,
  dnsName,
  namespace,
  repeated,
  resource,
  schedule,
  selector,
  timeZone,
  uniqueNames,
  wholeNumber,
} from './values.ts';

/** Sources of PersistentVolumes: fields of PersistentVolumeSpec in the Kubernetes API, those that are still served. */
const VOLUME_TYPES = [
  'csi',
  'nfs',
  'hostPath',
  'local',
  'iscsi',
  'fc',
  'cephfs',
  'rbd',
  'glusterfs',
  'emptyDir',
] as const;

/** Actions of a volume rule, with their descriptions. */
const ACTIONS = {
  skip: 'exclude it',
  mount: 'a Job mounts the PVC',
  snapshot: 'a Job mounts a CSI snapshot of it',
  node: 'a Job reads its folder on the node',
} as const satisfies Record<'skip' | Strategy, string>;

/** `a, b or c`. */
const oneOf = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

const VolumeRule = z
  .strictObject({
    name: dnsName(40).describe('Name of the rule; the record gives it as the reason for a skipped PVC'),
    storageClasses: z
      .array(z.string().min(1))
      .default([])
      .describe('Names or patterns of storage classes; empty: any'),
    volumeTypes: z
      .array(z.enum(VOLUME_TYPES, `is not a volume type; write one of ${VOLUME_TYPES.join(', ')}`))
      .default([])
      .describe('Volume types (fields of PersistentVolumeSpec, or emptyDir); empty: any'),
    labelSelector: selector.optional().describe('Label selector for the PVC'),
    minSize: amount('10Gi').optional().describe('Minimum requested size of the PVC'),
    maxSize: amount('10Gi').optional().describe('Maximum requested size of the PVC'),
    action: z
      .enum(['skip', ...Strategy.options], `is not an action; write ${oneOf(Object.keys(ACTIONS))}`)
      .describe(
        Object.entries(ACTIONS)
          .map(([action, does]) => `${action}: ${does}`)
          .join('; '),
      ),
    snapshotClass: dnsName(253)
      .optional()
      .describe('With snapshot: VolumeSnapshotClass; absent: the default class of the driver'),
    temporaryStorageClass: dnsName(253)
      .optional()
      .describe('With snapshot: storage class of the temporary PVC; absent: that of the PVC'),
    runAsUser: wholeNumber(1, 2_147_483_647)
      .optional()
      .describe('UID that reads the files, without capabilities; absent: root'),
  })
  .refine((rule) => rule.action === 'snapshot' || !(rule.snapshotClass || rule.temporaryStorageClass), {
    path: ['action'],
    error: 'does not create a snapshot; write snapshot, or remove snapshotClass and temporaryStorageClass',
  })
  .refine(
    (rule) => !rule.volumeTypes.includes('emptyDir') || rule.action === 'node' || rule.action === 'skip',
    { path: ['action'], error: 'cannot read an emptyDir, which has no PVC; write node or skip' },
  )
  .refine((rule) => (quantity(rule.minSize ?? '0') ?? 0) <= (quantity(rule.maxSize ?? '1E') ?? 0), {
    path: ['maxSize'],
    error: 'is less than minSize; swap the two values',
  });

const ResticOptions = z.strictObject({
  excludes: z.array(z.string().min(1)).default([]).describe('Patterns of files to exclude'),
  excludeIfPresent: z
    .array(z.string().min(1))
    .default([])
    .describe('Names of files; folders that contain one are excluded'),
  excludeFiles: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Files with exclude patterns, relative to holdfast.yaml; one pattern per line, # starts a comment',
    ),
  compression: z
    .enum(['auto', 'max', 'off'], 'is not a compression; write auto, max or off')
    .default('auto')
    .describe('Compression of new data'),
  readConcurrency: wholeNumber(1, 64)
    .optional()
    .describe('Number of files read concurrently; absent: 2, the default of restic'),
  limitUploadKiB: wholeNumber(1, 100_000_000)
    .optional()
    .describe('Upload limit of each Job in KiB/s; absent: none'),
});

const PlanOptions = z.strictObject({
  name: dnsName(40).describe('Backups are named <plan>-<yyyymmddhhmmss>'),
  namespaces: z
    .array(namespace)
    .min(1, 'is empty; add a namespace, or "*" for all')
    .describe('Namespaces to back up: names, or patterns with * and ?'),
  excludedNamespaces: z
    .array(namespace)
    .default([])
    .describe('Namespaces to exclude: names, or patterns with * and ?'),
  includedResources: z
    .array(resource)
    .default([])
    .describe('Types to back up, as plural.group, a plural, or a pattern; empty: all'),
  excludedResources: z.array(resource).default([]).describe('Types to exclude'),
  includedNamespaceScopedResources: z
    .array(resource)
    .default([])
    .describe('Namespaced types to back up; empty: all'),
  excludedNamespaceScopedResources: z.array(resource).default([]).describe('Namespaced types to exclude'),
  includedClusterScopedResources: z
    .array(resource)
    .default([])
    .describe(
      'Cluster-scoped types of which all objects are backed up; of other types, only objects related to those in the backup',
    ),
  excludedClusterScopedResources: z.array(resource).default([]).describe('Cluster-scoped types to exclude'),
  includeClusterResources: z
    .boolean()
    .optional()
    .describe(
      'Cluster-scoped objects; true: all, false: none, absent: all if namespaces is "*", otherwise related ones',
    ),
  labelSelector: selector
    .optional()
    .describe('Only objects that match this label selector, in the format of kubectl'),
  orLabelSelectors: z
    .array(selector)
    .default([])
    .describe('Only objects that match one of these label selectors'),
  schedule: schedule.describe('Five cron fields, or EventBridge cron(...) or rate(...)'),
  timeZone: timeZone.default('UTC').describe('IANA time zone of the schedule and of retention'),
  volumes: z
    .enum(['opt-in', 'opt-out', 'none'], 'is not a volume mode; write opt-in, opt-out or none')
    .default('opt-in')
    .describe(
      'opt-in: volumes in the pod annotation backup.velero.io/backup-volumes; opt-out: all volumes except those in backup.velero.io/backup-volumes-excludes',
    ),
  volumeRules: z
    .array(VolumeRule)
    .default([])
    .refine((rules) => repeated(rules).length === 0, uniqueNames('rule'))
    .describe('Rules for volumes; the first match applies and takes precedence over annotations'),
  restic: ResticOptions.prefault({}).describe('Options for restic backup'),
  controlPlane: z
    .boolean()
    .default(false)
    .describe('Back up etcd and the files of control-plane nodes; not on EKS'),
  scratchEtcd: z
    .boolean()
    .default(false)
    .describe('With controlPlane: verify each etcd snapshot in a scratch server'),
  retention: Retention.describe('Recovery points to keep'),
  replicaRetention: Retention.optional().describe(
    'Recovery points to keep in the replica, in addition to those in the primary; absent: the same policy',
  ),
  rpo: z
    .string()
    .regex(DURATION, 'is not a duration; write one like 90m, 26h or 2d')
    .optional()
    .describe(
      'Age at which alarms trigger: of the newest Completed recovery point, of the last good snapshot of a volume, and of the newest proven recovery point in the replica; absent: derived from the schedule',
    ),
});

const BY_SCOPE = [
  'includedNamespaceScopedResources',
  'excludedNamespaceScopedResources',
  'includedClusterScopedResources',
  'excludedClusterScopedResources',
] as const;

/** Velero also refuses this combination, because the two ways can contradict each other. */
const mixesScopes = (plan: z.infer<typeof PlanOptions>) =>
  BY_SCOPE.some((key) => plan[key].length > 0) &&
  (plan.includedResources.length > 0 ||
    plan.excludedResources.length > 0 ||
    plan.includeClusterResources !== undefined);

export const Plan = PlanOptions.refine((plan) => !plan.labelSelector || plan.orLabelSelectors.length === 0, {
  path: ['orLabelSelectors'],
  error: 'cannot be combined with labelSelector; add that selector to the list',
})
  .refine((plan) => !plan.scratchEtcd || plan.controlPlane, {
    path: ['scratchEtcd'],
    error: 'requires controlPlane: true; add it',
  })
  .refine((plan) => !mixesScopes(plan), {
    error: `combines two ways to select types; use either includedResources, excludedResources and includeClusterResources, or ${BY_SCOPE.join(', ')}`,
  });
