/**
 * Names that infrastructure, handlers and the command line share. All names derive from the cluster's name in
 * holdfast.yaml, so that operators and other stacks can compute them without an AWS call.
 */

/** Stacks, as `cdk deploy` and CloudFormation know them. */
export const stackNames = {
  vault: 'holdfast-vault',
  replica: 'holdfast-vault-replica',
  replication: 'holdfast-vault-replication',
  accessLogs: { primary: 'holdfast-vault-access-log', replica: 'holdfast-vault-replica-access-log' },
  cluster: (cluster: string) => `holdfast-cluster-${cluster}`,
} as const;

/** The state machines of one cluster. The ASL file of each is state-machines/<machine>.asl.json. */
export const MACHINES = ['backup', 'restore', 'replicate', 'prune', 'verify', 'lock'] as const;
export type Machine = (typeof MACHINES)[number];

/** Name of a state machine: `holdfast-<cluster>-<machine>`. */
export function machineName(cluster: string, machine: Machine): string {
  return `holdfast-${cluster}-${machine}`;
}

/** Location of a cluster's state machines. */
export interface MachineHome {
  /** AWS partition, like `aws` or `aws-cn`. */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** ARN of a state machine of a cluster. */
export function machineArn(
  { partition, region, account }: MachineHome,
  cluster: string,
  machine: Machine,
): string {
  return `arn:${partition}:states:${region}:${account}:stateMachine:${machineName(cluster, machine)}`;
}

/** Name of the Secrets Manager secret that holds a cluster's repository master secret. */
export function masterSecretName(cluster: string): string {
  return `holdfast/${cluster}/repository-master`;
}

/** Bucket name of one copy of the vault: `<prefix>-<account>-<region>`. For the bucket of a copy use vaultCopies(). */
export function vaultBucketName(prefix: string, account: string, region: string): string {
  return `${prefix}-${account}-${region}`;
}

/** Bucket of the access log of one copy of the vault. */
export function accessLogBucketName({ bucket }: { readonly bucket: string }): string {
  return `${bucket}-log`;
}

/** Alias of the KMS key that encrypts the vault; the same in both regions. */
export function vaultKeyAlias(prefix: string): string {
  return `alias/${prefix}`;
}

/** Role that S3 replication of the primary bucket assumes. */
export function replicationRoleName(prefix: string): string {
  return `${prefix}-replication`;
}

/** Alias of the KMS key that signs records; only in the primary region. */
export function signingKeyAlias(prefix: string): string {
  return `alias/${prefix}-signing`;
}

/** EventBridge Scheduler group of a cluster, and the schedule of one plan in it. */
export function scheduleGroupName(cluster: string): string {
  return `holdfast-${cluster}`;
}
export function scheduleName(plan: string): string {
  return `backup-${plan}`;
}

export const MEASURE_SCHEDULE = 'measure-vault';
export const MEASURE_MINUTES = 15;
/** The schedule of a cluster's verification in the same group. Plan schedules have the prefix `backup-`. */
export const VERIFY_SCHEDULE = 'verification';
/** The schedule that extends locks, in the same group. */
export const LOCK_SCHEDULE = 'lock-daily';

/** Kubernetes groups that `holdfast rbac` binds: one for backups, one for restores only. */
export const kubernetesGroups = { backup: 'holdfast:backup', restore: 'holdfast:restore' } as const;

/** The namespace of Jobs that belong to no application (prune, verify). */
export const SYSTEM_NAMESPACE = 'holdfast';

/** What the credentials of Jobs are for: each use has a role. `read`: restores and verifications. */
export const JOB_USES = ['backup', 'read', 'prune'] as const;
export type JobUse = (typeof JOB_USES)[number];

/** Role of the Jobs of one use. */
export function jobRoleName(cluster: string, use: JobUse): string {
  return `holdfast-${cluster}-${use}-jobs`;
}

/** Session tag of a Job's credentials: the namespace whose repository they open. The policies of the roles of Jobs read it. */
export const NAMESPACE_TAG = 'holdfast-namespace';

/** Service account of dump Jobs, which run commands in pods. `holdfast rbac --commands` prints it. */
export const DUMP_ACCOUNT = 'holdfast-command';
