import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { replicaStack, templateOf, vaultStack } from './support.ts';

const copies = [
  ['primary', vaultStack(), 'eu-west-1'],
  ['second', replicaStack(), 'eu-central-1'],
] as const;

describe.each(copies)('the %s copy of the vault', (_, stack, region) => {
  const template = templateOf(stack);

  test('is in its own region', () => {
    expect(stack.region).toBe(region);
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName: { 'Fn::Join': ['', ['holdfast-vault-', { Ref: 'AWS::AccountId' }, `-${region}`]] },
    });
  });

  test('is encrypted with a key of its own, which rotates and has the vault’s alias', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: 'aws:kms',
              KMSMasterKeyID: { 'Fn::GetAtt': [Match.stringLikeRegexp('Key'), 'Arn'] },
            },
          },
        ],
      },
    });
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    template.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/holdfast-vault' });
  });

  test('keeps every version', () => {
    template.hasResourceProperties('AWS::S3::Bucket', { VersioningConfiguration: { Status: 'Enabled' } });
  });

  test('refuses everything that does not come by TLS', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  test('is closed to the public and to foreign owners', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  test('outlives its stack, bucket and key', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key'])
      template.hasResource(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(stack.terminationProtection).toBe(true);
  });

  test('removes unfinished uploads and parts of exports and what runs made after a week, old inventories, what was deleted after sixty days, and no other object ever', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'unfinished-uploads',
            Status: 'Enabled',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          {
            Id: 'parts-of-exports',
            Status: 'Enabled',
            Prefix: 'exports/',
            ExpirationInDays: 7,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          },
          {
            Id: 'objects-of-runs',
            Status: 'Enabled',
            Prefix: 'runs/',
            ExpirationInDays: 7,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          },
          {
            Id: 'old-inventories',
            Status: 'Enabled',
            Prefix: 'inventories/',
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
          },
          {
            Id: 'earlier-versions',
            Status: 'Enabled',
            NoncurrentVersionExpiration: { NoncurrentDays: 60 },
            ExpiredObjectDeleteMarker: true,
          },
        ],
      },
    });
  });
});

test('each cluster has a master secret that is in both regions and outlives its stack', () => {
  templateOf(vaultStack()).hasResource('AWS::SecretsManager::Secret', {
    DeletionPolicy: 'Retain',
    Properties: {
      Name: 'holdfast/prod/repository-master',
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
      ReplicaRegions: [{ Region: 'eu-central-1' }],
    },
  });
});

test('records are signed by a key of KMS that can do nothing else and outlives its stack', () => {
  const template = templateOf(vaultStack());
  template.hasResource('AWS::KMS::Key', {
    DeletionPolicy: 'Retain',
    Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  });
  template.hasResourceProperties('AWS::KMS::Alias', { AliasName: 'alias/holdfast-vault-signing' });
});
