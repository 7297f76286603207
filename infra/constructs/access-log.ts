import { Aws, Duration } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import { accessLogBucketName } from '../../functions/contract/names.ts';
import type { Config } from '../config/schema.ts';
import { PRIVATE_BUCKET } from './private-bucket.ts';
import { serviceFor } from './service-trust.ts';

export interface AccessLogProps {
  /** The copy of which the requests are logged, in its own region and account. */
  readonly copy: VaultCopy;
  readonly settings: Config['vault']['accessLog'];
}

/** Who did what to the objects of one copy of the vault, in a bucket of its own that no role of Holdfast reaches. */
export class AccessLog extends Construct {
  private readonly bucket: Bucket;

  constructor(scope: Construct, { copy, settings }: AccessLogProps) {
    super(scope, 'AccessLog');
    // Without Object Lock and a KMS key: S3 delivers access logs to no bucket that has a default retention or needs a key.
    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: accessLogBucketName(copy),
      encryption: BucketEncryption.S3_MANAGED,
      ...PRIVATE_BUCKET,
      lifecycleRules: [
        {
          id: 'old-logs',
          expiration: Duration.days(settings.days),
          abortIncompleteMultipartUploadAfter: Duration.days(7),
        },
      ],
    });
    this.denyOwnRoles();
    const vault = `arn:${Aws.PARTITION}:s3:::${copy.bucket}`;
    if (settings.mode === 'cloudtrail') this.trail(copy, vault, settings.reads);
    else this.accept('logging.s3.amazonaws.com', vault);
  }

  /** Data events of the objects of the vault. Management events are those of the account, which has a trail of its own. */
  private trail({ prefix, region }: VaultCopy, vault: string, reads: boolean): void {
    const arn = `arn:${Aws.PARTITION}:cloudtrail:${region}:${Aws.ACCOUNT_ID}:trail/${prefix}`;
    this.accept('cloudtrail.amazonaws.com', arn);
    const trail = new CfnTrail(this, 'Trail', {
      trailName: prefix,
      s3BucketName: this.bucket.bucketName,
      isLogging: true,
      isMultiRegionTrail: false,
      includeGlobalServiceEvents: false,
      enableLogFileValidation: true,
      advancedEventSelectors: [
        {
          name: reads ? 'Reads and writes of objects of the vault' : 'Writes of objects of the vault',
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Data'] },
            { field: 'resources.type', equalTo: ['AWS::S3::Object'] },
            { field: 'resources.ARN', startsWith: [`${vault}/`] },
            ...(reads ? [] : [{ field: 'readOnly', equalTo: ['false'] }]),
          ],
        },
      ],
    });
    if (this.bucket.policy) trail.node.addDependency(this.bucket.policy);
  }

  /** Lets a service of AWS write logs of one resource of this account. */
  private accept(service: string, sourceArn: string): void {
    const allow = (actions: string[], resources: string[]) =>
      this.bucket.addToResourcePolicy(
        new PolicyStatement({ principals: [serviceFor(service, sourceArn)], actions, resources }),
      );
    if (service === 'cloudtrail.amazonaws.com') allow(['s3:GetBucketAcl'], [this.bucket.bucketArn]);
    allow(['s3:PutObject'], [this.bucket.arnForObjects('*')]);
  }

  private denyOwnRoles(): void {
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'NotForOwnRoles',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:*'],
        resources: [this.bucket.bucketArn, this.bucket.arnForObjects('*')],
        conditions: { ArnLike: { 'aws:PrincipalArn': `arn:${Aws.PARTITION}:iam::*:role/holdfast-*` } },
      }),
    );
  }
}
