import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { vaultBucketName, vaultKeyAlias } from '../../functions/contract/names.ts';

export interface VaultBucketProps {
  readonly prefix: string;
  readonly region: string;
}

/** One copy of the vault: a versioned bucket of its own key, reachable by TLS alone, that survives its stack. */
export class VaultBucket extends Construct {
  readonly bucket: Bucket;
  readonly key: Key;

  constructor(scope: Construct, id: string, props: VaultBucketProps) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      alias: vaultKeyAlias(props.prefix),
      enableKeyRotation: true,
      description: 'Encrypts the Holdfast vault',
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: vaultBucketName(props.prefix, Aws.ACCOUNT_ID, props.region),
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
        // Rewritten whenever something new is proven; an old one proves nothing more.
        { id: 'old-inventories', prefix: 'inventories/', noncurrentVersionExpiration: Duration.days(1) },
      ],
    });
  }
}
