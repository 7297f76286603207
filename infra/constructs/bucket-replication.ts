import { Aws } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import { replicationRoleName, vaultKeyAlias } from '../../functions/contract/names.ts';
import { serviceFor } from './service-trust.ts';
import type { VaultBucket } from './vault-bucket.ts';

export interface BucketReplicationProps {
  readonly source: VaultBucket;
  readonly from: VaultCopy;
  readonly to: VaultCopy;
  /** S3 promises 15 minutes. */
  readonly timeControl: boolean;
}

/**
 * What S3 replicates, a rule each, named after its root. Records are not among it: S3 keeps no order, and in the replica, too,
 * a record says that everything else is there. The machine copies them.
 */
export const REPLICATED_ROOTS = ['velero', 'restic'] as const;

const bucketArn = ({ bucket }: VaultCopy): string => `arn:${Aws.PARTITION}:s3:::${bucket}`;

/** S3's own replication of the primary bucket. Removals stay where they are made. */
export class BucketReplication extends Construct {
  constructor(scope: Construct, props: BucketReplicationProps) {
    super(scope, 'Replication');
    const { source, from } = props;
    const role = new Role(this, 'Role', {
      roleName: replicationRoleName(from.prefix),
      assumedBy: serviceFor('s3.amazonaws.com', bucketArn(from)),
    });
    for (const statement of statements(props)) role.addToPolicy(statement);
    const bucket = source.bucket.node.defaultChild as CfnBucket;
    bucket.replicationConfiguration = {
      role: role.roleArn,
      rules: REPLICATED_ROOTS.map((root, i) => ruleOf(props, root, i + 1)),
    };
    bucket.node.addDependency(role);
  }
}

function ruleOf(
  { from, to, timeControl }: BucketReplicationProps,
  root: string,
  priority: number,
): CfnBucket.ReplicationRuleProperty {
  const limit = { minutes: 15 }; // the only one that S3 has
  return {
    id: root,
    priority,
    status: 'Enabled',
    filter: { prefix: `${root}/` },
    deleteMarkerReplication: { status: 'Disabled' },
    sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
    destination: {
      bucket: bucketArn(to),
      encryptionConfiguration: {
        replicaKmsKeyId: `arn:${Aws.PARTITION}:kms:${to.region}:${to.account}:${vaultKeyAlias(to.prefix)}`,
      },
      metrics: { status: 'Enabled', ...(timeControl && { eventThreshold: limit }) },
      ...(timeControl && { replicationTime: { status: 'Enabled', time: limit } }),
      ...(to.account !== from.account && {
        account: to.account,
        accessControlTranslation: { owner: 'Destination' },
      }),
    },
  };
}

/** Reads versions of what is replicated and writes replicas of it; it removes nothing. */
function statements({ from, to }: BucketReplicationProps): PolicyStatement[] {
  const below = (copy: VaultCopy) => REPLICATED_ROOTS.map((root) => `${bucketArn(copy)}/${root}/*`);
  const key = (copy: VaultCopy, actions: string[]) =>
    new PolicyStatement({
      actions,
      resources: [`arn:${Aws.PARTITION}:kms:${copy.region}:${copy.account}:key/*`],
      conditions: {
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': vaultKeyAlias(copy.prefix) },
        StringEquals: { 'kms:ViaService': `s3.${copy.region}.${Aws.URL_SUFFIX}` },
      },
    });
  return [
    new PolicyStatement({
      actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
      resources: [bucketArn(from)],
    }),
    new PolicyStatement({
      actions: [
        's3:GetObjectVersionForReplication',
        's3:GetObjectVersionAcl',
        's3:GetObjectVersionTagging',
        's3:GetObjectRetention',
        's3:GetObjectLegalHold',
      ],
      resources: below(from),
    }),
    new PolicyStatement({
      actions: [
        's3:ReplicateObject',
        's3:ReplicateTags',
        ...(to.account === from.account ? [] : ['s3:ObjectOwnerOverrideToBucketOwner']),
      ],
      resources: below(to),
    }),
    key(from, ['kms:Decrypt']),
    key(to, ['kms:Encrypt', 'kms:GenerateDataKey']),
  ];
}
