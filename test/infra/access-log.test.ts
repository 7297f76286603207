import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { accessLogStack, flat, replicaStack, templateOf, vaultStack } from './support.ts';

const ELSEWHERE = 'account: "111111111111", replicaAccount: "222222222222"';
const copies = [
  ['primary', 'eu-west-1'],
  ['replica', 'eu-central-1'],
] as const;
const bucketArn = (region: string) => `arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-${region}`;

interface Policy {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Principal: { readonly Service?: string };
  readonly Resource: unknown;
  readonly Condition: Record<string, Record<string, unknown>>;
}
/** The one value of a condition. */
const only = (value: unknown): string => [value].flat().map(flat).join();
const statements = (template: Template): Policy[] =>
  Object.values(template.findResources('AWS::S3::BucketPolicy')).flatMap(
    (policy) => policy.Properties.PolicyDocument.Statement,
  );
const selectors = (template: Template) => {
  const [trail] = Object.values(template.findResources('AWS::CloudTrail::Trail'));
  return trail?.Properties.AdvancedEventSelectors.map((s: { FieldSelectors: Record<string, unknown>[] }) =>
    s.FieldSelectors.map(({ Field, Equals, StartsWith }) => [
      Field,
      Equals ?? (StartsWith as unknown[]).map(flat),
    ]),
  );
};

describe.each(copies)('the access log of the %s', (copy, region) => {
  const stack = accessLogStack(copy);
  const template = templateOf(stack);

  test('is on by default, in the region of its copy, and outlives its stack', () => {
    expect([stack.region, stack.terminationProtection]).toEqual([region, true]);
    template.resourceCountIs('AWS::CloudTrail::Trail', 1);
    template.hasResource('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  test('has every write and deletion of objects of the vault, and no read', () => {
    expect(selectors(template)).toEqual([
      [
        ['eventCategory', ['Data']],
        ['resources.type', ['AWS::S3::Object']],
        ['resources.ARN', [`${bucketArn(region)}/`]],
        ['readOnly', ['false']],
      ],
    ]);
  });

  test('shows whether a file of it was changed', () => {
    template.hasResourceProperties('AWS::CloudTrail::Trail', {
      IsLogging: true,
      EnableLogFileValidation: true,
      IsMultiRegionTrail: false,
    });
  });

  test('begins when its bucket takes it', () => {
    const [policy] = Object.keys(template.findResources('AWS::S3::BucketPolicy'));
    template.hasResource('AWS::CloudTrail::Trail', { DependsOn: Match.arrayWith([policy]) });
  });

  test('is in a bucket without Object Lock, closed to the public, with an end', () => {
    const [bucket] = Object.values(template.findResources('AWS::S3::Bucket'));
    expect(bucket?.Properties).not.toHaveProperty('ObjectLockConfiguration');
    expect(bucket?.Properties).toMatchObject({
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      PublicAccessBlockConfiguration: { BlockPublicPolicy: true, RestrictPublicBuckets: true },
      LifecycleConfiguration: { Rules: [{ Id: 'old-logs', ExpirationInDays: 400 }] },
    });
    expect(flat(bucket?.Properties.BucketName)).toBe(`holdfast-vault-<AWS::AccountId>-${region}-log`);
  });

  test('is written by CloudTrail for this trail alone, and by nobody else', () => {
    const allowed = statements(template).filter((s) => s.Effect === 'Allow');
    expect(allowed.map((s) => [s.Principal.Service, s.Action])).toEqual([
      ['cloudtrail.amazonaws.com', 's3:GetBucketAcl'],
      ['cloudtrail.amazonaws.com', 's3:PutObject'],
    ]);
    for (const { Condition } of allowed) {
      expect(Condition.StringEquals).toEqual({ 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
      expect(only(Condition.ArnLike?.['aws:SourceArn'])).toBe(
        `arn:<AWS::Partition>:cloudtrail:${region}:<AWS::AccountId>:trail/holdfast-vault`,
      );
    }
  });

  test('is out of reach of every role of Holdfast', () => {
    const denied = statements(template).find((s) => s.Sid === 'NotForOwnRoles');
    expect([denied?.Effect, denied?.Action]).toEqual(['Deny', 's3:*']);
    expect(flat(denied?.Condition.ArnLike?.['aws:PrincipalArn'])).toBe(
      'arn:<AWS::Partition>:iam::*:role/holdfast-*',
    );
  });
});

test('with reads, the log has them as well', () => {
  const fields = selectors(templateOf(accessLogStack('primary', 'accessLog: { reads: true }')))[0];
  expect(fields.map(([field]: [string]) => field)).not.toContain('readOnly');
});

test('log files are removed after the days that are set', () => {
  templateOf(accessLogStack('primary', 'accessLog: { days: 30 }')).hasResourceProperties('AWS::S3::Bucket', {
    LifecycleConfiguration: { Rules: [Match.objectLike({ ExpirationInDays: 30 })] },
  });
});

test('the log of a replica in another account is in that account', () => {
  expect(accessLogStack('replica', ELSEWHERE).account).toBe('222222222222');
  expect(accessLogStack('primary', ELSEWHERE).account).toBe('111111111111');
});

describe('with server access logs in place of CloudTrail', () => {
  const S3 = 'accessLog: { mode: s3 }';

  test.each(copies)('S3 logs the requests to the %s, for this bucket alone', (copy, region) => {
    const template = templateOf(accessLogStack(copy, S3));
    template.resourceCountIs('AWS::CloudTrail::Trail', 0);
    const allowed = statements(template).filter((s) => s.Effect === 'Allow');
    expect(allowed.map((s) => [s.Principal.Service, s.Action])).toEqual([
      ['logging.s3.amazonaws.com', 's3:PutObject'],
    ]);
    expect(only(allowed[0]?.Condition.ArnLike?.['aws:SourceArn'])).toBe(bucketArn(region));
    const vault = templateOf((copy === 'primary' ? vaultStack : replicaStack)(S3));
    const [bucket] = Object.values(vault.findResources('AWS::S3::Bucket'));
    const { DestinationBucketName, LogFilePrefix } = bucket?.Properties.LoggingConfiguration ?? {};
    expect([flat(DestinationBucketName), LogFilePrefix]).toEqual([
      `holdfast-vault-<AWS::AccountId>-${region}-log`,
      'vault/',
    ]);
  });

  test('the default has none', () => {
    const [bucket] = Object.values(templateOf(vaultStack()).findResources('AWS::S3::Bucket'));
    expect(bucket?.Properties).not.toHaveProperty('LoggingConfiguration');
  });
});
