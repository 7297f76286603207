import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { COPIES, type CopyName, type VaultCopy } from '../../functions/contract/copies.ts';
import { FUNCTION_NAMES, type FunctionName, lambdaName } from '../../functions/contract/functions.ts';
import {
  type JobUse,
  jobRoleName,
  type Machine,
  machineName,
  NAMESPACE_TAG,
  scheduleGroupName,
  signingKeyAlias,
  vaultKeyAlias,
} from '../../functions/contract/names.ts';
import type { VeleroSource } from '../../functions/contract/settings.ts';

/** Rights within one copy of the vault; each a list of roots, like `records`, below which a cluster has its own. */
interface VaultRights {
  readonly read?: readonly Root[];
  readonly write?: readonly Root[];
  readonly remove?: readonly Root[];
  /** Extends locks, and says so in lock.json of a recovery point. */
  readonly lock?: readonly Root[];
}
type Root = 'velero' | 'restic' | 'records' | 'inventories' | 'exports' | 'restores' | 'leases' | 'runs';

export interface FunctionRights {
  readonly primary: VaultRights;
  readonly replica?: VaultRights;
  /** Reads the repository master secret and mints credentials for Jobs, of the role for this use and of no other. */
  readonly mints?: JobUse;
  /** Reads the repository master secret, to read what repositories hold itself. */
  readonly opens?: true;
  /** What it does with the key that signs records. */
  readonly records?: 'signs' | 'verifies';
  /** Asks whether the execution that holds a lease has ended. */
  readonly seesExecutions?: true;
  /** Asks when the schedules of its cluster were created. */
  readonly seesSchedules?: true;
}

/** What a function that makes objects in the cluster needs, to know them again. */
const MAKES = { read: ['records', 'restic', 'runs'], write: ['records', 'runs'], remove: ['runs'] } as const;
const RECOVERY_POINT = ['velero', 'restic', 'records'] as const;
const restoring = { read: [...RECOVERY_POINT, 'restores'], write: ['restores'] } as const;
const replicaRead = { read: [...RECOVERY_POINT] } as const;

/** Who may do what in the vault. Everything that is not here is denied. */
export const RIGHTS: Record<FunctionName, FunctionRights> = {
  'open-backup': {
    primary: { read: ['records', 'leases'], write: ['records', 'leases'], remove: ['leases'] },
    records: 'verifies',
    seesExecutions: true,
  },
  'export-resources': {
    primary: { read: ['records', 'exports'], write: ['records', 'exports', 'velero'] },
  },
  'export-shard': { primary: { read: ['records', 'exports'], write: ['exports'] } },
  'join-export': {
    primary: {
      read: ['records', 'exports'],
      write: ['records', 'exports', 'velero'],
      remove: ['exports'],
    },
  },
  'reconcile-volumes': { primary: MAKES, mints: 'backup' },
  'reconcile-control-plane': { primary: MAKES, mints: 'backup' },
  'commit-backup': {
    primary: {
      read: ['records', 'velero', 'restic', 'leases'],
      write: ['records', 'velero'],
      remove: ['leases'],
    },
    opens: true,
    records: 'signs',
  },
  'fail-backup': {
    primary: { read: ['records', 'leases', 'runs'], write: ['records'], remove: ['leases', 'runs'] },
  },
  'replicate-backup': {
    primary: {
      read: [...RECOVERY_POINT, 'leases', 'runs'],
      write: ['records', 'leases'],
      remove: ['leases'],
    },
    replica: { read: [...RECOVERY_POINT, 'inventories'], write: [...RECOVERY_POINT, 'inventories'] },
    records: 'verifies',
    seesExecutions: true,
  },
  'prune-backups': {
    primary: {
      read: ['records', 'velero', 'restic', 'leases'],
      write: ['records', 'leases'],
      remove: ['records', 'velero', 'leases'],
    },
    replica: { read: ['records', 'velero', 'restic'], remove: ['records', 'velero'] },
    opens: true,
    records: 'verifies',
    seesExecutions: true,
  },
  'reconcile-prune': {
    primary: { ...MAKES, read: [...MAKES.read, 'leases'], remove: ['leases', 'runs'] },
    replica: { read: ['records', 'restic'] },
    mints: 'prune',
  },
  'measure-vault': {
    primary: { read: ['records'] },
    replica: { read: ['records'] },
    records: 'verifies',
    seesSchedules: true,
  },
  'extend-locks': {
    primary: { read: ['records'], lock: RECOVERY_POINT },
    replica: { read: ['records'], lock: RECOVERY_POINT },
    records: 'verifies',
  },
  'verify-vault': {
    primary: { read: RECOVERY_POINT, write: RECOVERY_POINT },
    replica: { read: RECOVERY_POINT, write: RECOVERY_POINT },
    records: 'verifies',
  },
  'reconcile-verify': {
    primary: MAKES,
    replica: { read: ['restic'] },
    mints: 'read',
  },
  'plan-restore': {
    primary: {
      read: [...restoring.read, 'leases', 'runs'],
      write: ['restores', 'leases'],
      remove: ['runs'],
    },
    replica: replicaRead,
    records: 'verifies',
    seesExecutions: true,
  },
  'apply-resources': { primary: restoring, replica: replicaRead },
  'reconcile-restore-volumes': {
    primary: { read: [...restoring.read, 'runs'], write: ['restores', 'runs'], remove: ['runs'] },
    replica: replicaRead,
    mints: 'read',
  },
  'verify-restore': {
    primary: { ...restoring, read: [...restoring.read, 'leases'], remove: ['leases'] },
    replica: replicaRead,
  },
  'fail-restore': {
    primary: { ...restoring, read: [...restoring.read, 'leases', 'runs'], remove: ['leases', 'runs'] },
  },
};

/** Statements that let a principal use a vault's key. By alias: the key of the other region has an ARN this stack cannot know. */
function keyStatement(copy: VaultCopy, actions = ['kms:Decrypt', 'kms:GenerateDataKey']): PolicyStatement {
  return new PolicyStatement({
    actions,
    resources: [`arn:${Aws.PARTITION}:kms:${copy.region}:${copy.account}:key/*`],
    conditions: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': vaultKeyAlias(copy.prefix) } },
  });
}

/** Statement for what a function does with the key that signs records. */
export function recordStatement(copy: VaultCopy, does: 'signs' | 'verifies'): PolicyStatement {
  return new PolicyStatement({
    // Whoever signs a record first looks whether there is one.
    actions: does === 'signs' ? ['kms:Sign', 'kms:GetPublicKey'] : ['kms:GetPublicKey'],
    resources: [`arn:${Aws.PARTITION}:kms:${copy.region}:${Aws.ACCOUNT_ID}:key/*`],
    conditions: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': signingKeyAlias(copy.prefix) } },
  });
}

/** Statements for a function's rights in one copy of the vault. */
export function vaultStatements(copy: VaultCopy, cluster: string, rights: VaultRights): PolicyStatement[] {
  const bucket = `arn:${Aws.PARTITION}:s3:::${copy.bucket}`;
  const below = (roots: readonly Root[]) => roots.map((root) => `${bucket}/${root}/${cluster}/*`);
  const listed = [...new Set([...(rights.read ?? []), ...(rights.remove ?? []), ...(rights.lock ?? [])])];
  return [
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket],
      conditions: { StringLike: { 's3:prefix': listed.map((root) => `${root}/${cluster}/*`) } },
    }),
    ...(rights.read
      ? [new PolicyStatement({ actions: ['s3:GetObject'], resources: below(rights.read) })]
      : []),
    ...(rights.write
      ? [
          new PolicyStatement({
            actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
            resources: below(rights.write),
          }),
        ]
      : []),
    ...(rights.remove
      ? [new PolicyStatement({ actions: ['s3:DeleteObject'], resources: below(rights.remove) })]
      : []),
    ...(rights.lock ? lockStatements(bucket, cluster, rights.lock) : []),
    keyStatement(copy, rights.write || rights.lock ? undefined : ['kms:Decrypt']),
  ];
}

/** Without s3:BypassGovernanceRetention, a lock can only be extended. */
function lockStatements(bucket: string, cluster: string, roots: readonly Root[]): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ['s3:ListBucketVersions'],
      resources: [bucket],
      conditions: { StringLike: { 's3:prefix': roots.map((root) => `${root}/${cluster}/*`) } },
    }),
    new PolicyStatement({
      actions: ['s3:GetObjectRetention', 's3:PutObjectRetention'],
      resources: roots.map((root) => `${bucket}/${root}/${cluster}/*`),
    }),
    new PolicyStatement({
      actions: ['s3:PutObject'],
      resources: [`${bucket}/records/${cluster}/*/lock.json`],
    }),
  ];
}

/** Statement that lets a function see how the executions of machines that take leases are. */
export function executionStatement(region: string, cluster: string): PolicyStatement {
  const arn = (machine: Machine) =>
    `arn:${Aws.PARTITION}:states:${region}:${Aws.ACCOUNT_ID}:execution:${machineName(cluster, machine)}:*`;
  return new PolicyStatement({
    actions: ['states:DescribeExecution'],
    resources: [arn('backup'), arn('restore'), arn('replicate'), arn('prune')],
  });
}

/** Statement that lets a function see the schedules of its cluster. */
export function scheduleStatement(region: string, cluster: string): PolicyStatement {
  const group = scheduleGroupName(cluster);
  return new PolicyStatement({
    actions: ['scheduler:GetSchedule'],
    resources: [`arn:${Aws.PARTITION}:scheduler:${region}:${Aws.ACCOUNT_ID}:schedule/${group}/*`],
  });
}

/** Functions that read the archives of a Velero source. */
export const READS_SOURCES: readonly FunctionName[] = ['plan-restore', 'apply-resources', 'verify-restore'];

/** Statements to read a Velero source of the settings. Its own key policy must let the function decrypt, where it has a key. */
export function sourceStatements({ bucket, prefix }: VeleroSource): PolicyStatement[] {
  const arn = `arn:${Aws.PARTITION}:s3:::${bucket}`;
  const below = `${prefix}backups/*`;
  return [
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [arn],
      conditions: { StringLike: { 's3:prefix': [below] } },
    }),
    new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${arn}/${below}`] }),
  ];
}

/** Names of roles of Jobs in ARNs of this account. */
export const jobRoleArn = (cluster: string, use: JobUse): string =>
  `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${jobRoleName(cluster, use)}`;

/** Statement that lets a function mint credentials for Jobs: of one role, and with the tag that confines them. */
export const mintStatement = (cluster: string, use: JobUse): PolicyStatement =>
  new PolicyStatement({
    actions: ['sts:AssumeRole', 'sts:TagSession'],
    resources: [jobRoleArn(cluster, use)],
  });

/**
 * What the trust policy of a role of Jobs demands of who assumes it: the tag with a value, and no other tag. A statement whose
 * resource names a tag that the session does not have allows nothing.
 */
export const TAGGED_SESSION = {
  StringLike: { [`aws:RequestTag/${NAMESPACE_TAG}`]: '?*' },
  'ForAllValues:StringEquals': { 'aws:TagKeys': [NAMESPACE_TAG] },
};

/** The copies in which the Jobs of a use work. */
export const JOB_COPIES: Record<JobUse, readonly CopyName[]> = {
  backup: ['primary'],
  read: COPIES,
  prune: COPIES,
};

const JOB_ACTIONS: Record<JobUse, readonly string[]> = {
  backup: ['s3:GetObject', 's3:PutObject'],
  read: ['s3:GetObject'],
  prune: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
};

/**
 * Statements of a role of Jobs in one copy: the repository of the namespace in the session's tag, and nothing else. Only Jobs
 * that prune can delete more than restic's locks; they run in Holdfast's own namespace. A session policy says the same again.
 */
export function jobStatements(copy: VaultCopy, cluster: string, use: JobUse): PolicyStatement[] {
  const bucket = `arn:${Aws.PARTITION}:s3:::${copy.bucket}`;
  const repository = `restic/${cluster}/\${aws:PrincipalTag/${NAMESPACE_TAG}}`;
  const on = (path: string, actions: readonly string[]) =>
    new PolicyStatement({ actions: [...actions], resources: [`${bucket}/${repository}/${path}`] });
  return [
    new PolicyStatement({ actions: ['s3:GetBucketLocation'], resources: [bucket] }),
    new PolicyStatement({
      actions: ['s3:ListBucket'],
      resources: [bucket],
      conditions: { StringLike: { 's3:prefix': [`${repository}/*`] } },
    }),
    on('*', JOB_ACTIONS[use]),
    ...(use === 'backup' ? [on('locks/*', ['s3:DeleteObject'])] : []),
    keyStatement(copy, use === 'read' ? ['kms:Decrypt'] : undefined),
  ];
}

/** What a role does in the replica, as the policies of a replica in another account tell roles apart. */
export type ReplicaUse = 'read' | 'write' | 'remove' | 'lock';

const REPLICA_JOBS: Record<ReplicaUse, readonly JobUse[]> = {
  read: ['read', 'prune'],
  write: ['prune'],
  remove: ['prune'],
  lock: [],
};

/** Whether a function has a use of the replica. Whoever locks also writes lock.json. */
function uses({ replica }: FunctionRights, use: ReplicaUse): boolean {
  if (!replica || use === 'read') return replica !== undefined;
  return Boolean(replica[use] ?? (use === 'write' && replica.lock));
}

/** Names of all roles of the clusters that have a use of the replica. */
export const replicaRoles = (clusters: readonly string[], use: ReplicaUse): string[] =>
  clusters.flatMap((cluster) => [
    ...FUNCTION_NAMES.filter((name) => uses(RIGHTS[name], use)).map((name) => lambdaName(cluster, name)),
    ...REPLICA_JOBS[use].map((job) => jobRoleName(cluster, job)),
  ]);
