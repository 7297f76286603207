/**
 * Names that infrastructure, handlers and the command line must agree on. Everything is derived from the
 * cluster's name in holdfast.yaml, so that a person (or another stack) can find a thing without asking AWS.
 */

/** Stacks, as `cdk deploy` and CloudFormation know them. */
export const stackNames = {
  vault: 'holdfast-vault',
  replica: 'holdfast-vault-replica',
  replication: 'holdfast-vault-replication',
  cluster: (cluster: string) => `holdfast-cluster-${cluster}`,
} as const;

/** The state machines of one cluster. The ASL file of each is state-machines/<machine>.asl.json. */
export const MACHINES = ['backup', 'restore', 'replicate', 'prune', 'verify', 'lock'] as const;
export type Machine = (typeof MACHINES)[number];

/** Name of a state machine: `holdfast-<cluster>-<machine>`. */
export function machineName(cluster: string, machine: Machine): string {
  return `holdfast-${cluster}-${machine}`;
}

/** Where a cluster's machines are. */
export interface MachineHome {
  /** Of AWS, like `aws` or `aws-cn`. */
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

/** Bucket name of one copy of the vault: `<prefix>-<account>-<region>`. Ask vaultCopies() for that of a copy. */
export function vaultBucketName(prefix: string, account: string, region: string): string {
  return `${prefix}-${account}-${region}`;
}

/** Alias of the KMS key that encrypts the vault; the same in both regions. */
export function vaultKeyAlias(prefix: string): string {
  return `alias/${prefix}`;
}

/** Role of S3 when it replicates the primary bucket by itself. */
export function replicationRoleName(prefix: string): string {
  return `${prefix}-replication`;
}

/** Alias of the KMS key that signs records; in the primary region alone. */
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
/** The schedule of a cluster's verification in the same group. No plan's schedule begins like that. */
export const VERIFY_SCHEDULE = 'verification';

/** Kubernetes groups that the printed RBAC binds: one for backups, one for restores alone. */
export const kubernetesGroups = { backup: 'holdfast:backup', restore: 'holdfast:restore' } as const;

/** The namespace of Jobs that belong to no application (prune, verify). */
export const SYSTEM_NAMESPACE = 'holdfast';

/** The service account in whose name the Job of a dump runs its command. `holdfast rbac --commands` prints it. */
export const DUMP_ACCOUNT = 'holdfast-command';
