import * as z from 'zod';
import { isCopyName } from '../../functions/contract/copies.ts';
import { Plan } from './plan.ts';
import {
  amount,
  dnsName,
  image,
  region,
  repeated,
  schedule,
  secret,
  timeZone,
  uniqueNames,
  url,
  wholeNumber,
} from './values.ts';

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
    .refine((name) => !isCopyName(name), 'is a copy of the vault; choose another name')
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

export const Cluster = ClusterOptions.superRefine(({ access, plans }, context) => {
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
