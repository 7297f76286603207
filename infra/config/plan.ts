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

/** What a rule may do with a claim, in words. */
const ACTIONS = {
  skip: 'leave out',
  mount: 'a Job mounts the claim',
  snapshot: 'a Job mounts a CSI snapshot of it',
  node: 'a Job reads its folder on the node',
} as const satisfies Record<'skip' | Strategy, string>;

/** `a, b or c`. */
const oneOf = (words: readonly string[]): string => `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

const VolumeRule = z
  .strictObject({
    name: dnsName(40).describe('What the record says of a claim that the rule leaves out'),
    storageClasses: z.array(z.string().min(1)).default([]).describe('Names or patterns; empty: any'),
    volumeTypes: z
      .array(z.enum(VOLUME_TYPES, `is not a volume type; write one of ${VOLUME_TYPES.join(', ')}`))
      .default([])
      .describe('Sources of the volume; empty: any'),
    labelSelector: selector.optional().describe('Labels of the claim'),
    minSize: amount('10Gi').optional().describe('Claims that ask for at least this'),
    maxSize: amount('10Gi').optional().describe('Claims that ask for at most this'),
    action: z
      .enum(['skip', ...Strategy.options], `is not an action; write ${oneOf(Object.keys(ACTIONS))}`)
      .describe(
        Object.entries(ACTIONS)
          .map(([action, does]) => `${action}: ${does}`)
          .join('; '),
      ),
    snapshotClass: dnsName(253)
      .optional()
      .describe('With snapshot: the VolumeSnapshotClass; absent: the default one of the driver'),
    temporaryStorageClass: dnsName(253)
      .optional()
      .describe('With snapshot: storage class of the claim made of it; absent: that of the claim'),
    runAsUser: wholeNumber(1, 2_147_483_647)
      .optional()
      .describe('Reads the files as this user, without a capability; absent: as root'),
  })
  .refine((rule) => rule.action === 'snapshot' || !(rule.snapshotClass || rule.temporaryStorageClass), {
    path: ['action'],
    error: 'makes no snapshot; write snapshot, or take snapshotClass and temporaryStorageClass out',
  })
  .refine(
    (rule) => !rule.volumeTypes.includes('emptyDir') || rule.action === 'node' || rule.action === 'skip',
    { path: ['action'], error: 'cannot read an emptyDir, which has no claim; write node or skip' },
  )
  .refine((rule) => (quantity(rule.minSize ?? '0') ?? 0) <= (quantity(rule.maxSize ?? '1E') ?? 0), {
    path: ['maxSize'],
    error: 'is below minSize; exchange them',
  });

const ResticOptions = z.strictObject({
  excludes: z.array(z.string().min(1)).default([]).describe('Patterns of files that are left out'),
  excludeIfPresent: z
    .array(z.string().min(1))
    .default([])
    .describe('Names of files: a folder that holds one is left out'),
  excludeFiles: z
    .array(z.string().min(1))
    .default([])
    .describe('Files with such patterns, one a line, beside holdfast.yaml; # begins a comment'),
  compression: z
    .enum(['auto', 'max', 'off'], 'is not a compression; write auto, max or off')
    .default('auto')
    .describe('Of new data'),
  readConcurrency: wholeNumber(1, 64).optional().describe('Files that are read at once; restic: 2'),
  limitUploadKiB: wholeNumber(1, 100_000_000).optional().describe('Upload of each Job, KiB a second'),
});

const PlanOptions = z.strictObject({
  name: dnsName(40).describe('Backups are named <plan>-<yyyymmddhhmmss>'),
  namespaces: z
    .array(namespace)
    .min(1, 'is empty; name at least one namespace, or "*" for all')
    .describe('Namespaces to back up: names, or patterns with * and ?'),
  excludedNamespaces: z
    .array(namespace)
    .default([])
    .describe('Namespaces that are left out: names or patterns'),
  includedResources: z
    .array(resource)
    .default([])
    .describe('Types to back up, as plural.group, a plural, or a pattern; empty: all'),
  excludedResources: z.array(resource).default([]).describe('Types that are left out'),
  includedNamespaceScopedResources: z
    .array(resource)
    .default([])
    .describe('Namespaced types to back up; empty: all'),
  excludedNamespaceScopedResources: z
    .array(resource)
    .default([])
    .describe('Namespaced types that are left out'),
  includedClusterScopedResources: z
    .array(resource)
    .default([])
    .describe('Cluster-scoped types to back up whole; of others, what belongs to what is backed up'),
  excludedClusterScopedResources: z
    .array(resource)
    .default([])
    .describe('Cluster-scoped types that are left out'),
  includeClusterResources: z
    .boolean()
    .optional()
    .describe(
      'Cluster-scoped objects: true all, false none; absent: all when namespaces is "*", else those that belong',
    ),
  labelSelector: selector.optional().describe('Only objects with these labels, as kubectl writes them'),
  orLabelSelectors: z.array(selector).default([]).describe('Only objects that match one of these'),
  schedule: schedule.describe('Five cron fields, or EventBridge cron(...) or rate(...)'),
  timeZone: timeZone.default('UTC').describe('IANA time zone of the schedule and of retention'),
  volumes: z
    .enum(['opt-in', 'opt-out', 'none'], 'is not a volume mode; write opt-in, opt-out or none')
    .default('opt-in')
    .describe(
      'opt-in: volumes named in the pod annotation backup.velero.io/backup-volumes; opt-out: all but those in backup.velero.io/backup-volumes-excludes',
    ),
  volumeRules: z
    .array(VolumeRule)
    .default([])
    .refine((rules) => repeated(rules).length === 0, uniqueNames('rule'))
    .describe('What to do with some volumes; the first rule that matches decides, before annotations'),
  restic: ResticOptions.prefault({}).describe('Options of restic backup'),
  controlPlane: z
    .boolean()
    .default(false)
    .describe('Back up etcd and the files of control-plane nodes, too; not on EKS'),
  scratchEtcd: z
    .boolean()
    .default(false)
    .describe('With controlPlane: open each snapshot of etcd in a scratch server and compare what it holds'),
  retention: Retention.describe('Which recovery points stay'),
  replicaRetention: Retention.optional().describe(
    'Which stay in the second region, beyond those that are in the first; absent: the same',
  ),
  rpo: z
    .string()
    .regex(DURATION, 'is not a duration; write one like 90m, 26h or 2d')
    .optional()
    .describe('Alarm when the newest recovery point, here or in the second region, is older'),
});

const BY_SCOPE = [
  'includedNamespaceScopedResources',
  'excludedNamespaceScopedResources',
  'includedClusterScopedResources',
  'excludedClusterScopedResources',
] as const;

/** Velero refuses the same mixture: it would have to guess which of two answers counts. */
const mixesScopes = (plan: z.infer<typeof PlanOptions>) =>
  BY_SCOPE.some((key) => plan[key].length > 0) &&
  (plan.includedResources.length > 0 ||
    plan.excludedResources.length > 0 ||
    plan.includeClusterResources !== undefined);

export const Plan = PlanOptions.refine((plan) => !plan.labelSelector || plan.orLabelSelectors.length === 0, {
  path: ['orLabelSelectors'],
  error: 'cannot be used together with labelSelector; put it into the list',
})
  .refine((plan) => !plan.scratchEtcd || plan.controlPlane, {
    path: ['scratchEtcd'],
    error: 'has no snapshot of etcd to open; write controlPlane: true beside it',
  })
  .refine((plan) => !mixesScopes(plan), {
    error: `mixes two ways to choose types; use includedResources, excludedResources and includeClusterResources, or ${BY_SCOPE.join(', ')}`,
  });
