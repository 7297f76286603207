import * as z from 'zod';
import { selectorProblem } from '../../functions/contract/label-selector.ts';
import { quantity } from '../../functions/contract/quantity.ts';
import { VAULT_COPIES } from '../../functions/contract/restore-options.ts';
import { Strategy } from '../../functions/contract/settings.ts';
import { eventBridgeSchedule } from './cron.ts';
import { DURATION } from './duration.ts';
import { Retention } from './retention.ts';

const DNS = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dnsName = (max: number) =>
  z
    .string()
    .max(max, `is longer than ${max} characters; choose a shorter name`)
    .regex(DNS, 'is not a DNS-1123 name; use lower-case letters, digits and "-"');

const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'is not an AWS region; write one like eu-west-1');
const secret = z
  .string()
  .regex(/^[\w/+=.@-]+$/, 'is not a secret name; write the name, not the ARN, of a Secrets Manager secret');
const url = z
  .string()
  .regex(
    /^https?:\/\/[^/]+$/,
    'is not an endpoint; write scheme and host, like https://s3.eu-west-1.amazonaws.com',
  );

const namespace = z
  .string()
  .regex(
    /^[a-z0-9*?]([-a-z0-9*?]{0,61}[a-z0-9*?])?$/,
    'is not a namespace; use lower-case letters, digits and "-", and * or ? for a pattern',
  );

const resource = z
  .string()
  .regex(
    /^[a-z0-9*?][-a-z0-9.*?]*$/,
    'is not a resource; write plural.group like deployments.apps, the plural alone, or a pattern with *',
  );

const selector = z.string().superRefine((value, context) => {
  const problem = selectorProblem(value);
  if (problem)
    context.addIssue({
      code: 'custom',
      message: `is not a label selector: ${problem}; write one like "app=web,tier in (a, b),!old"`,
    });
});

const schedule = z.string().superRefine((value, context) => {
  try {
    eventBridgeSchedule(value);
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: `is not a schedule: ${(error as Error).message}; write five cron fields like "0 2 * * *", or rate(1 hour)`,
    });
  }
});

const amount = (example: string) =>
  z
    .string('is not a quantity in quotes; write one like "1Gi"')
    .refine(
      (value) => quantity(value) !== undefined,
      `is not a Kubernetes quantity; write one like ${example}`,
    );

const wholeNumber = (min: number, max: number) =>
  z
    .int(`is not a whole number; write one from ${min} to ${max}`)
    .min(min, `is too small; write a number from ${min} to ${max}`)
    .max(max, `is too large; write a number from ${min} to ${max}`);

const timeZone = z.string().refine((value) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}, 'is not an IANA time zone; write one like Europe/Berlin');

/** Names that a list has more than once; asked of lists whose items may be wrong in other ways. */
const repeated = (items: unknown): string[] => {
  const names = Array.isArray(items) ? items.map((i: { name?: unknown } | null) => i?.name) : [];
  return [...new Set(names.filter((name, i) => name !== undefined && names.indexOf(name) !== i))].map(String);
};
/** Asked even when an item is wrong: all that is wrong is to be said at once. */
const uniqueNames = (what: string) => ({
  error: (issue: { input?: unknown }) =>
    `has more than one ${what} named ${repeated(issue.input).join(', ')}; rename one`,
  when: ({ value }: { value: unknown }) => Array.isArray(value),
});

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
      .enum(['skip', ...Strategy.options], 'is not an action; write skip, mount, snapshot or node')
      .describe(
        'skip: leave out; mount: a Job mounts the claim; snapshot: a Job mounts a CSI snapshot of it; node: a Job reads its folder on the node',
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

const Plan = PlanOptions.refine((plan) => !plan.labelSelector || plan.orLabelSelectors.length === 0, {
  path: ['orLabelSelectors'],
  error: 'cannot stand beside labelSelector; put it into the list',
})
  .refine((plan) => !plan.scratchEtcd || plan.controlPlane, {
    path: ['scratchEtcd'],
    error: 'has no snapshot of etcd to open; write controlPlane: true beside it',
  })
  .refine((plan) => !mixesScopes(plan), {
    error: `mixes two ways to choose types; use includedResources, excludedResources and includeClusterResources, or ${BY_SCOPE.join(', ')}`,
  });

const Access = z
  .discriminatedUnion(
    'kind',
    [
      z.strictObject({
        kind: z.literal('kubeconfig'),
        backupSecret: secret.describe('Secret with the kubeconfig for backups'),
        restoreSecret: secret.describe('Secret with the kubeconfig for restores'),
      }),
      z.strictObject({
        kind: z.literal('eks'),
        name: z
          .string()
          .regex(/^[0-9A-Za-z][\w-]{0,99}$/, 'is not an EKS cluster name; write the name, not the ARN')
          .describe('Name of the EKS cluster'),
        region: region.describe('Region of the EKS cluster'),
      }),
    ],
    'is not a kind of access; write kubeconfig or eks',
  )
  .refine((access) => access.kind !== 'kubeconfig' || access.backupSecret !== access.restoreSecret, {
    path: ['restoreSecret'],
    error:
      'is the secret for backups too; use another identity: a backup must not be able to do what a restore may',
  });

/** An image, by tag or, so that nobody can put another in its place, by digest. */
const image = (example: string) =>
  z
    .string()
    .regex(
      /^[^\s@]+(@sha256:[0-9a-f]{64})?$/,
      `is not an image; write one like ${example}, or with @sha256: and its 64 digits`,
    )
    .default(example);

const Jobs = z.strictObject({
  resticImage: image('docker.io/restic/restic:0.19.1').describe('Image of the Jobs; restic 0.19.1 or newer'),
  kubectlImage: image('registry.k8s.io/kubectl:v1.34.4').describe(
    'Image with kubectl, for pods with holdfast.io/backup-command',
  ),
  imagePullSecrets: z
    .array(dnsName(63))
    .default([])
    .describe('Names of image pull secrets in the Jobs’ namespaces'),
  backupServiceAccount: dnsName(253)
    .optional()
    .describe(
      'Service account in the volumes’ namespaces whose identity in AWS (EKS Pod Identity, IRSA) their backups use; absent: short-lived credentials are minted',
    ),
  s3Endpoint: url.optional().describe('S3 endpoint of the primary region as pods see it'),
  replicaS3Endpoint: url.optional().describe('S3 endpoint of the second region as pods see it'),
  concurrency: z
    .int('is not a whole number; write one from 1 to 100')
    .min(1, 'starts no Job; write a number from 1 to 100')
    .max(100, 'is too many; write a number from 1 to 100')
    .default(5)
    .describe('Jobs at once in the cluster'),
  concurrencyPerNode: wholeNumber(1, 100).default(2).describe('Of those, on one node'),
  resources: z
    .strictObject({
      cpu: amount('100m').default('100m').describe('Requested'),
      memory: amount('128Mi').default('128Mi').describe('Requested'),
      memoryLimit: amount('1Gi').default('1Gi').describe('Limit; a second attempt has twice as much'),
    })
    .prefault({})
    .describe('Of each Job'),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().optional(),
        operator: z.enum(['Exists', 'Equal']).optional(),
        value: z.string().optional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
      }),
    )
    .default([])
    .describe('Tolerations of the Jobs’ pods, as Kubernetes takes them'),
  priorityClassName: dnsName(253).optional().describe('Priority class of the Jobs’ pods'),
  deadlineHours: wholeNumber(1, 23).default(6).describe('A Job that is not done after this long is ended'),
  startMinutes: wholeNumber(1, 600)
    .default(10)
    .describe('A Job whose pod has not started after this long has failed'),
  kubeletDir: z
    .string()
    .regex(/^\/\S+[^/]$/, 'is not a folder; write an absolute path without a slash at its end')
    .default('/var/lib/kubelet')
    .describe('Root folder of the kubelets, for volumes that are read on their node'),
});

const VeleroSource = z.strictObject({
  name: dnsName(30)
    .refine((name) => !VAULT_COPIES.includes(name), 'is a copy of the vault; choose another name')
    .describe('What a restore says in "from"'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]$/, 'is not a bucket name; write the name, not the ARN')
    .describe('Bucket of the backup storage location'),
  region: region.describe('Region of the bucket'),
  prefix: z.string().default('').describe('Prefix of the backup storage location'),
});

const file = (example: string) =>
  z.string().regex(/^[^/\s][^\s]*$/, `is not a file below folder; write one like ${example}`);

const ControlPlane = z.strictObject({
  etcdImage: image('registry.k8s.io/etcd:3.6.4-0').describe(
    'Image with etcdctl and etcdutl, not older than the cluster’s etcd',
  ),
  endpoints: z
    .array(
      z
        .string()
        .regex(/^https?:\/\/[^/\s]+:\d+$/, 'is not a client URL; write one like https://10.0.0.1:2379'),
    )
    .default([])
    .describe('Client URLs of the etcd members; empty: as the static pods of kubeadm say'),
  tlsSecret: dnsName(253)
    .optional()
    .describe(
      'Secret in the namespace holdfast with ca.crt, tls.crt and tls.key; absent: the files of a node',
    ),
  folder: z
    .string()
    .regex(/^\/\S+[^/]$/, 'is not a folder; write an absolute path without a slash at its end')
    .default('/etc/kubernetes')
    .describe('Folder of each control-plane node that is backed up'),
  caFile: file('pki/etcd/ca.crt').default('pki/etcd/ca.crt').describe('Below folder'),
  certFile: file('pki/etcd/healthcheck-client.crt')
    .default('pki/etcd/healthcheck-client.crt')
    .describe('Below folder'),
  keyFile: file('pki/etcd/healthcheck-client.key')
    .default('pki/etcd/healthcheck-client.key')
    .describe('Below folder'),
});

const Verification = z.strictObject({
  enabled: z.boolean().default(true).describe('false: only when somebody starts the machine'),
  schedule: schedule.default('0 4 * * 0').describe('Five cron fields, or EventBridge cron(...) or rate(...)'),
  timeZone: timeZone.default('UTC').describe('IANA time zone of the schedule'),
  parts: wholeNumber(1, 256)
    .default(7)
    .describe('The packs of volumes are read in so many runs, a part in each'),
});

const ClusterOptions = z.strictObject({
  name: dnsName(20).describe('Name of the cluster in keys, stacks and reports'),
  access: Access,
  jobs: Jobs.prefault({}),
  controlPlane: ControlPlane.prefault({}).describe('For plans with controlPlane: true'),
  verification: Verification.prefault({}).describe('Reading both copies again, and healing'),
  veleroSources: z
    .array(VeleroSource)
    .default([])
    .refine((sources) => repeated(sources).length === 0, uniqueNames('Velero source'))
    .describe('Buckets that a Velero wrote, to restore from'),
  shardItems: z
    .int('is not a whole number; write one of at least 1')
    .min(1, 'exports nothing; write a number of at least 1')
    .default(400_000)
    .describe('Objects that one function exports; a larger cluster is read by several'),
  prune: z
    .strictObject({
      maxShare: wholeNumber(1, 100)
        .default(50)
        .describe('Percent of a plan’s recovery points that one run removes without a word from a person'),
      orphanGraceDays: wholeNumber(2, 3650)
        .default(7)
        .describe('Objects and snapshots of no recovery point are removed when they are older than this'),
    })
    .prefault({})
    .describe('Limits of what pruning removes'),
  plans: z
    .array(Plan)
    .min(1, 'is empty; add a plan')
    .refine((plans) => repeated(plans).length === 0, uniqueNames('plan')),
});

const Cluster = ClusterOptions.superRefine(({ access, plans }, context) => {
  if (access.kind !== 'eks') return;
  plans.forEach(({ controlPlane }, i) => {
    if (controlPlane)
      context.addIssue({
        code: 'custom',
        path: ['plans', i, 'controlPlane'],
        message:
          'cannot be on EKS, where AWS runs etcd and shows it to nobody; take it out: AWS restores the control plane',
      });
  });
});

const ObjectLock = z.strictObject({
  mode: z
    .enum(['governance', 'compliance'], 'is not a mode; write governance or compliance')
    .describe(
      'governance: those with s3:BypassGovernanceRetention can lift a lock, if they change the bucket’s policy first; compliance: nobody can',
    ),
  days: wholeNumber(3, 36_500).describe(
    'For how long a new object is locked; locks of what is kept are extended every day',
  ),
});

const account = z.string().regex(/^\d{12}$/, 'is not an AWS account; write its 12 digits, in quotes');

const Replication = z
  .strictObject({
    mode: z
      .enum(['machine', 'continuous'], 'is not a mode; write machine or continuous')
      .default('machine')
      .describe('machine: copied after each backup; continuous: S3 replicates, the machine proves'),
    timeControl: z
      .boolean()
      .default(false)
      .describe('With continuous: S3 replicates within 15 minutes, for a price by the GB'),
  })
  .refine((replication) => replication.mode === 'continuous' || !replication.timeControl, {
    path: ['timeControl'],
    error:
      'is of S3’s replication, which the mode machine does not use; write mode: continuous, or take it out',
  });

const topic = z.string().regex(/^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w.-]+$/, 'is not the ARN of an SNS topic');

const Alarms = z.strictObject({
  topicArn: topic.optional().describe('SNS topic in the primary region'),
  replicaTopicArn: topic.optional().describe('SNS topic in the second region, for alarms that are there'),
});

/** holdfast.yaml. Strict: an unknown key is an error, because it is most often a misspelt one. */
export const Config = z.strictObject({
  vault: z
    .strictObject({
      name: dnsName(30).default('holdfast-vault').describe('Prefix of the bucket names'),
      region: region.describe('Primary region'),
      replicaRegion: region.describe('Second region'),
      account: account.optional().describe('With replicaAccount: the account of everything else'),
      replicaAccount: account.optional().describe('Account of the second copy; absent: the same'),
      replication: Replication.prefault({}).describe('How the second copy comes to be'),
      objectLock: ObjectLock.optional().describe('S3 Object Lock of both buckets; absent: off'),
      noncurrentDays: wholeNumber(1, 36_500)
        .optional()
        .describe(
          'For how long what was deleted or overwritten can be brought back; absent: as long as a lock, or 30',
        ),
    })
    .refine((v) => !v.replicaAccount || v.account, {
      path: ['replicaAccount'],
      error: 'stands alone; write the account of the primary copy, in quotes, into vault.account',
    })
    .refine((v) => !v.replicaAccount || v.account !== v.replicaAccount, {
      path: ['replicaAccount'],
      error: 'is the account of the primary copy, too; write another one or take it out',
    })
    .refine((v) => v.region !== v.replicaRegion, {
      path: ['replicaRegion'],
      error: 'is the primary region too; choose another one',
      when: ({ value }) => typeof value === 'object' && value !== null && 'replicaRegion' in value,
    }),
  clusters: z
    .array(Cluster)
    .min(1, 'is empty; add a cluster')
    .refine((clusters) => repeated(clusters).length === 0, uniqueNames('cluster')),
  alarms: Alarms.prefault({}).describe('Who is told of alarms'),
});
export type Config = z.infer<typeof Config>;
export type ClusterConfig = Config['clusters'][number];
