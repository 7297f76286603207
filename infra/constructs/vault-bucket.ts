import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccountPrincipal, AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import { replicationRoleName, vaultKeyAlias } from '../../functions/contract/names.ts';
import type { ObjectLockSettings } from '../../functions/contract/settings.ts';

export interface VaultBucketProps {
  readonly copy: VaultCopy;
  /** Another account, whose pipeline works on this copy. */
  readonly usedBy?: string | undefined;
  readonly objectLock?: ObjectLockSettings | undefined;
  /** How long versions stay that are not the newest of their key. */
  readonly noncurrentDays: number;
}

/** What roles of another account may do here, at most; each of them is given its part there. */
const ON_BUCKET = ['s3:ListBucket', 's3:ListBucketVersions', 's3:GetBucketLocation'];
const ON_OBJECTS = [
  ...['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
  ...['s3:GetObjectRetention', 's3:PutObjectRetention'],
];
const ON_KEY = ['kms:Decrypt', 'kms:GenerateDataKey'];
/** And S3 itself, when it replicates the bucket. */
const REPLICATION = ['s3:ReplicateObject', 's3:ReplicateTags', 's3:ObjectOwnerOverrideToBucketOwner'];

/** Denied to all roles of Holdfast, regardless of their own policies. */
const NEVER = [
  's3:BypassGovernanceRetention',
  's3:DeleteBucket',
  's3:DeleteBucketPolicy',
  's3:DeleteObjectVersion',
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
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy: RemovalPolicy.RETAIN,
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
    this.denyOwnRoles();
    if (props.objectLock) this.lock(props.objectLock);
    if (props.usedBy) this.letIn(props.copy.prefix, props.usedBy);
  }

  /**
   * Lets the other account's roles of Holdfast in. By the pattern of their names: a policy that names roles can be made
   * only after them, and this copy is made first.
   */
  private letIn(prefix: string, account: string): void {
    const role = (name: string) => `arn:${Aws.PARTITION}:iam::${account}:role/${name}`;
    const allow = (names: string[], actions: string[], resources: string[]) =>
      new PolicyStatement({
        principals: [new AccountPrincipal(account)],
        actions,
        resources,
        conditions: { ArnLike: { 'aws:PrincipalArn': names.map(role) } },
      });
    const { bucket, key } = this;
    const s3 = [replicationRoleName(prefix)];
    const pipeline = ['holdfast-*'];
    bucket.addToResourcePolicy(allow(pipeline, ON_BUCKET, [bucket.bucketArn]));
    bucket.addToResourcePolicy(allow(pipeline, ON_OBJECTS, [bucket.arnForObjects('*')]));
    bucket.addToResourcePolicy(allow(s3, REPLICATION, [bucket.arnForObjects('*')]));
    bucket.addToResourcePolicy(allow(s3, ['s3:ListBucket', 's3:GetBucketVersioning'], [bucket.bucketArn]));
    key.addToResourcePolicy(allow(pipeline, ON_KEY, ['*']));
    key.addToResourcePolicy(allow(s3, ['kms:Encrypt', 'kms:GenerateDataKey'], ['*']));
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
