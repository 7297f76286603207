import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccountPrincipal, AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, BucketEncryption, type CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import { replicationRoleName, vaultKeyAlias } from '../../functions/contract/names.ts';
import type { ObjectLockSettings } from '../../functions/contract/settings.ts';
import { type ReplicaUse, replicaRoles } from './grants.ts';
import { PRIVATE_BUCKET } from './private-bucket.ts';

/** Whose roles work on a replica in another account. */
export interface ReplicaUsers {
  readonly account: string;
  readonly clusters: readonly string[];
}

export interface VaultBucketProps {
  readonly copy: VaultCopy;
  /** Another account, whose pipeline works on this copy. */
  readonly usedBy?: ReplicaUsers | undefined;
  readonly objectLock?: ObjectLockSettings | undefined;
  /** S3 delivers access logs to this bucket. */
  readonly logBucket?: string | undefined;
  /** How long versions stay that are not the newest of their key. */
  readonly noncurrentDays: number;
}

/** What roles of another account may do here by their use of it; each of them is given its part there. */
const USES: Record<ReplicaUse, { bucket: string[]; objects: string[]; key: string[] }> = {
  read: {
    bucket: ['s3:ListBucket', 's3:GetBucketLocation'],
    objects: ['s3:GetObject'],
    key: ['kms:Decrypt'],
  },
  write: { bucket: [], objects: ['s3:PutObject', 's3:AbortMultipartUpload'], key: ['kms:GenerateDataKey'] },
  remove: { bucket: [], objects: ['s3:DeleteObject'], key: [] },
  lock: {
    bucket: ['s3:ListBucketVersions'],
    objects: ['s3:GetObjectRetention', 's3:PutObjectRetention'],
    key: [],
  },
};
/** And S3 itself, when it replicates the bucket. */
const REPLICATION = ['s3:ReplicateObject', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner'];

/** Denied to all roles of Holdfast, regardless of their own policies. */
const NEVER = [
  's3:BypassGovernanceRetention',
  's3:DeleteBucket',
  's3:DeleteBucketPolicy',
  's3:DeleteObjectVersion',
  's3:PutBucketLogging',
  's3:PutBucketObjectLockConfiguration',
  's3:PutBucketPolicy',
  's3:PutBucketVersioning',
  's3:PutLifecycleConfiguration',
];

/** One copy of the vault: a versioned bucket of its own key, reachable by TLS alone, that survives its stack. */
export class VaultBucket extends Construct {
  readonly bucket: Bucket;
  readonly key: Key;

  constructor(scope: Construct, id: string, props: VaultBucketProps) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      alias: vaultKeyAlias(props.copy.prefix),
      enableKeyRotation: true,
      description: 'Encrypts the Holdfast vault',
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: props.copy.bucket,
      versioned: true,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      ...PRIVATE_BUCKET,
      lifecycleRules: [
        { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        {
          id: 'parts-of-exports',
          prefix: 'exports/',
          expiration: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(1),
        },
        {
          id: 'objects-of-runs',
          prefix: 'runs/',
          expiration: Duration.days(7),
          noncurrentVersionExpiration: Duration.days(1),
        },
        // Rewritten whenever something new is proven; an old one proves nothing more.
        { id: 'old-inventories', prefix: 'inventories/', noncurrentVersionExpiration: Duration.days(1) },
        {
          id: 'earlier-versions',
          noncurrentVersionExpiration: Duration.days(props.noncurrentDays),
          expiredObjectDeleteMarker: true,
        },
      ],
    });
    if (props.logBucket) this.logTo(props.logBucket);
    this.denyOwnRoles();
    if (props.objectLock) this.lock(props.objectLock);
    if (props.usedBy) this.letIn(props.copy.prefix, props.usedBy);
  }

  /**
   * Lets the other account's roles of Holdfast in, each by its name. By the text of its ARN: a principal of a policy must exist,
   * and this copy is made first.
   */
  private letIn(prefix: string, { account, clusters }: ReplicaUsers): void {
    const allow = (names: readonly string[], actions: string[], resources: string[]) =>
      new PolicyStatement({
        principals: [new AccountPrincipal(account)],
        actions,
        resources,
        conditions: {
          ArnEquals: {
            'aws:PrincipalArn': names.map((name) => `arn:${Aws.PARTITION}:iam::${account}:role/${name}`),
          },
        },
      });
    const { bucket, key } = this;
    const [whole, objects] = [bucket.bucketArn, bucket.arnForObjects('*')];
    for (const [use, on] of Object.entries(USES) as [ReplicaUse, (typeof USES)[ReplicaUse]][]) {
      const names = replicaRoles(clusters, use);
      // One statement, because names fill the policy: S3 takes 20 KB. An action applies to the resource of its kind alone.
      const resources = on.bucket.length > 0 ? [whole, objects] : [objects];
      bucket.addToResourcePolicy(allow(names, [...on.bucket, ...on.objects], resources));
      if (on.key.length > 0) key.addToResourcePolicy(allow(names, on.key, ['*']));
    }
    const s3 = [replicationRoleName(prefix)];
    bucket.addToResourcePolicy(allow(s3, REPLICATION, [objects]));
    bucket.addToResourcePolicy(allow(s3, ['s3:ListBucket', 's3:GetBucketVersioning'], [whole]));
    key.addToResourcePolicy(allow(s3, ['kms:Encrypt', 'kms:GenerateDataKey'], ['*']));
  }

  /** By name: the bucket of the log has its own stack, which comes first. */
  private logTo(destinationBucketName: string): void {
    const bucket = this.bucket.node.defaultChild as CfnBucket;
    bucket.loggingConfiguration = { destinationBucketName, logFilePrefix: 'vault/' };
  }

  private denyOwnRoles(): void {
    // In any account: the replica can be in another account than the roles.
    const roles = `arn:${Aws.PARTITION}:iam::*:role/holdfast-*`;
    this.deny('OwnRolesKeepVersions', NEVER, { ArnLike: { 'aws:PrincipalArn': roles } });
  }

  /**
   * Every new version is locked from its first moment. Only by ObjectLockConfiguration: the property ObjectLockEnabled would
   * replace a bucket that is there, and its name is fixed. Nobody can lift a governance lock until this policy is changed.
   */
  private lock({ mode, days }: ObjectLockSettings): void {
    const bucket = this.bucket.node.defaultChild as CfnBucket;
    bucket.objectLockConfiguration = {
      objectLockEnabled: 'Enabled',
      rule: { defaultRetention: { mode, days } },
    };
    this.deny('NobodyLiftsLocks', ['s3:BypassGovernanceRetention']);
    // Whoever may lock could otherwise lock for a hundred years, which in compliance mode nobody can undo.
    this.deny('NobodyLocksForLonger', ['s3:PutObject', 's3:PutObjectRetention'], {
      NumericGreaterThan: { 's3:object-lock-remaining-retention-days': `${days + 1}` },
    });
  }

  private deny(sid: string, actions: string[], conditions: Record<string, unknown> = {}): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions,
        resources: [this.bucket.bucketArn, this.bucket.arnForObjects('*')],
        conditions,
      }),
    );
  }
}
