import * as z from 'zod';
import { isCopyName } from '../../functions/contract/copies.ts';
import { Plan } from './plan.ts';
import { RetiredPlan } from './retired.ts';
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
      'is also backupSecret; use the kubeconfig of another identity, so that backups do not have the permissions of restores',
  });

const Jobs = z.strictObject({
  resticImage: image('docker.io/restic/restic:0.19.1').describe(
    'Image of the restic Jobs; restic 0.19.1 or newer',
  ),
  kubectlImage: image('registry.k8s.io/kubectl:v1.34.4').describe(
    'kubectl image, for pods with holdfast.io/backup-command',
  ),
  imagePullSecrets: z
    .array(dnsName(63))
    .default([])
    .describe('Names of image pull secrets in the namespaces of the Jobs'),
  backupServiceAccount: dnsName(253)
    .optional()
    .describe(
      'Service account in the namespaces of the volumes, whose AWS identity (EKS Pod Identity, IRSA) backup Jobs use; absent: Holdfast mints short-lived credentials',
    ),
  s3Endpoint: url.optional().describe('S3 endpoint of the primary region for pods; absent: that of AWS'),
  replicaS3Endpoint: url.optional().describe('S3 endpoint of the DR region for pods; absent: that of AWS'),
  concurrency: z
    .int('is not a whole number; write one from 1 to 100')
    .min(1, 'is too small; write a number from 1 to 100')
    .max(100, 'is too large; write a number from 1 to 100')
    .default(5)
    .describe('Maximum number of concurrent Jobs in the cluster'),
  concurrencyPerNode: wholeNumber(1, 100)
    .default(2)
    .describe('Maximum number of concurrent Jobs on one node'),
  resources: z
    .strictObject({
      cpu: amount('100m').default('100m').describe('CPU request'),
      memory: amount('128Mi').default('128Mi').describe('Memory request'),
      memoryLimit: amount('1Gi').default('1Gi').describe('Memory limit; doubled for a second attempt'),
    })
    .prefault({})
    .describe('Resources of each Job'),
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
    .describe('Tolerations of the pods of Jobs, in the format of Kubernetes'),
  priorityClassName: dnsName(253).optional().describe('Priority class of the pods of Jobs'),
  deadlineHours: wholeNumber(1, 23).default(6).describe('Hours after which a running Job is terminated'),
  startMinutes: wholeNumber(1, 600)
    .default(10)
    .describe('Minutes after which a Job fails if its pod has not started'),
  kubeletDir: z
    .string()
    .regex(/^\/\S+[^/]$/, 'is not a folder; write an absolute path without a slash at its end')
    .default('/var/lib/kubelet')
    .describe('Root folder of the kubelet, for volumes that Jobs read on their node'),
});

const VeleroSource = z.strictObject({
  name: dnsName(30)
    .refine((name) => !isCopyName(name), 'is the name of a copy of the vault; choose another name')
    .describe('Name of the source, for "from" in a restore'),
  bucket: z
    .string()
    .regex(/^[a-z0-9][-a-z0-9.]{1,61}[a-z0-9]$/, 'is not a bucket name; write the name, not the ARN')
    .describe('Bucket of the backup storage location'),
  region: region.describe('Region of the bucket'),
  prefix: z.string().default('').describe('Prefix of the backup storage location'),
});

const file = (example: string) =>
  z.string().regex(/^[^/\s][^\s]*$/, `is not a path relative to folder; write one like ${example}`);

const ControlPlane = z.strictObject({
  etcdImage: image('registry.k8s.io/etcd:3.6.4-0').describe(
    'Image with etcdctl and etcdutl; not older than the etcd of the cluster',
  ),
  endpoints: z
    .array(
      z
        .string()
        .regex(/^https?:\/\/[^/\s]+:\d+$/, 'is not a client URL; write one like https://10.0.0.1:2379'),
    )
    .default([])
    .describe('Client URLs of the etcd members; empty: from the static pods of kubeadm'),
  tlsSecret: dnsName(253)
    .optional()
    .describe(
      'Secret in the namespace holdfast with ca.crt, tls.crt and tls.key; absent: files on a control-plane node',
    ),
  folder: z
    .string()
    .regex(/^\/\S+[^/]$/, 'is not a folder; write an absolute path without a slash at its end')
    .default('/etc/kubernetes')
    .describe('Folder on each control-plane node to back up'),
  caFile: file('pki/etcd/ca.crt')
    .default('pki/etcd/ca.crt')
    .describe('CA certificate of etcd, relative to folder'),
  certFile: file('pki/etcd/healthcheck-client.crt')
    .default('pki/etcd/healthcheck-client.crt')
    .describe('Client certificate for etcd, relative to folder'),
  keyFile: file('pki/etcd/healthcheck-client.key')
    .default('pki/etcd/healthcheck-client.key')
    .describe('Key of the client certificate, relative to folder'),
});

const Verification = z.strictObject({
  enabled: z.boolean().default(true).describe('Run on the schedule; false: only when started manually'),
  schedule: schedule.default('0 4 * * 0').describe('Five cron fields, or EventBridge cron(...) or rate(...)'),
  timeZone: timeZone.default('UTC').describe('IANA time zone of the schedule'),
  parts: wholeNumber(1, 256)
    .default(7)
    .describe('Number of runs in which all pack files are read; each run reads one part'),
});

const ClusterOptions = z.strictObject({
  name: dnsName(20).describe('Name of the cluster in keys, stacks and reports'),
  access: Access,
  jobs: Jobs.prefault({}),
  controlPlane: ControlPlane.prefault({}).describe('For plans with controlPlane: true'),
  verification: Verification.prefault({}).describe('Verification and repair of both copies'),
  veleroSources: z
    .array(VeleroSource)
    .default([])
    .refine((sources) => repeated(sources).length === 0, uniqueNames('Velero source'))
    .describe('Buckets with Velero backups to restore from'),
  shardItems: z
    .int('is not a whole number; write one of at least 1')
    .min(1, 'is too small; write a number of at least 1')
    .default(400_000)
    .describe(
      'Maximum number of objects that one function exports; larger clusters are exported by several functions',
    ),
  prune: z
    .strictObject({
      maxShare: wholeNumber(1, 100)
        .default(50)
        .describe('Percent of the recovery points of a plan that one run may remove without approval'),
      orphanGraceDays: wholeNumber(2, 3650)
        .default(7)
        .describe('Age in days at which orphaned objects and snapshots are removed'),
    })
    .prefault({})
    .describe('Limits of pruning'),
  plans: z
    .array(Plan)
    .min(1, 'is empty; add a plan')
    .refine((plans) => repeated(plans).length === 0, uniqueNames('plan')),
  retired: z
    .array(RetiredPlan)
    .default([])
    .refine((plans) => repeated(plans).length === 0, uniqueNames('retired plan'))
    .describe('Plans that were removed: what is kept of their recovery points'),
});

export const Cluster = ClusterOptions.superRefine(({ access, plans, retired }, context) => {
  const names = new Set(plans.map((p) => p.name));
  retired.forEach(({ name }, i) => {
    if (names.has(name))
      context.addIssue({
        code: 'custom',
        path: ['retired', i, 'name'],
        message: 'is the name of a plan, whose own retention applies; remove one of the two',
      });
  });
  if (access.kind !== 'eks') return;
  plans.forEach(({ controlPlane }, i) => {
    if (controlPlane)
      context.addIssue({
        code: 'custom',
        path: ['plans', i, 'controlPlane'],
        message: 'is not supported on EKS, where AWS manages etcd and restores the control plane; remove it',
      });
  });
});
