import { describe, expect, test } from 'vitest';
import {
  allowed,
  clusterTemplate,
  flat,
  LOCKED,
  PRIMARY,
  REPLICA,
  replicaStack,
  templateOf,
  vaultStack,
} from './support.ts';

const cluster = clusterTemplate(undefined, {}, LOCKED);
const copies = [
  ['primary', templateOf(vaultStack(LOCKED))],
  ['second', templateOf(replicaStack(LOCKED))],
] as const;

interface Given {
  /** The construct that has the policy, by its path in the stack. */
  readonly path: string;
  readonly actions: string[];
  readonly resources: string[];
}

/** Every statement of every policy that a role of the templates has. */
const given: Given[] = [cluster, ...copies.map(([, template]) => template)].flatMap((template) =>
  Object.values(template.findResources('AWS::IAM::Policy')).flatMap((policy) =>
    policy.Properties.PolicyDocument.Statement.map(
      (s: { Action: string | string[]; Resource: unknown }): Given => ({
        path: String(policy.Metadata?.['aws:cdk:path']),
        actions: [s.Action].flat(),
        resources: [s.Resource].flat().map(flat),
      }),
    ),
  ),
);
/** Whether an action of a policy, which may hold a wildcard, is another one. */
const covers = (pattern: string, action: string) =>
  new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(action);
const may = (action: string) => given.filter((g) => g.actions.some((a) => covers(a, action)));

describe('no role of Holdfast', () => {
  test.each([
    's3:DeleteObjectVersion',
    's3:BypassGovernanceRetention',
    's3:PutBucketObjectLockConfiguration',
    's3:PutBucketVersioning',
    's3:PutLifecycleConfiguration',
    's3:PutBucketPolicy',
    's3:DeleteBucket',
    's3:PutObjectLegalHold',
  ])('may %s', (action) => {
    expect(may(action)).toEqual([]);
  });

  test('but that of Jobs that prune may delete from a restic repository what is not a lock', () => {
    const deleting = may('s3:DeleteObject').flatMap(({ path, resources }) =>
      resources.filter((r) => /\/restic\/.*(?<!locks\/\*)$/.test(r)).map(() => path.split('/')[1]),
    );
    expect(new Set(deleting)).toEqual(new Set(['jobs-prune']));
  });

  test('but that of extend-locks may set a lock, and it may delete and read nothing of what it locks', () => {
    expect(new Set(may('s3:PutObjectRetention').map((g) => g.path.split('/')[1]))).toEqual(
      new Set(['extend-locks']),
    );
    expect(allowed(cluster, 'extend-locks', 's3:DeleteObject')).toEqual([]);
    expect(allowed(cluster, 'extend-locks', 's3:GetObject')).toEqual(
      [`${PRIMARY}/records/prod/*`, `${REPLICA}/records/prod/*`].sort(),
    );
  });
});

describe.each(copies)('the %s copy with objectLock', (_, template) => {
  const bucket = Object.values(template.findResources('AWS::S3::Bucket'))[0]?.Properties;
  const denials: { Sid: string; Action: string[]; Principal: unknown; Condition?: unknown }[] = Object.values(
    template.findResources('AWS::S3::BucketPolicy'),
  ).flatMap((p) => p.Properties.PolicyDocument.Statement);

  test('locks every new version for so long', () => {
    expect(bucket.ObjectLockConfiguration).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 40 } },
    });
  });

  test('does not have the property for which CloudFormation would replace a bucket that is there', () => {
    expect(bucket).not.toHaveProperty('ObjectLockEnabled');
  });

  test('keeps what was deleted for as long as a lock, and at least until every byte was read again', () => {
    expect(bucket.LifecycleConfiguration.Rules.at(-1)).toMatchObject({
      NoncurrentVersionExpiration: { NoncurrentDays: 60 },
    });
    const long = templateOf(vaultStack('objectLock: { mode: compliance, days: 400 }'));
    const [longest] = Object.values(long.findResources('AWS::S3::Bucket'));
    expect(longest?.Properties.LifecycleConfiguration.Rules.at(-1)).toMatchObject({
      NoncurrentVersionExpiration: { NoncurrentDays: 400 },
    });
  });

  test('refuses that anybody lifts a lock', () => {
    expect(denials.find((s) => s.Sid === 'NobodyLiftsLocks')).toMatchObject({
      Effect: 'Deny',
      Action: 's3:BypassGovernanceRetention',
      Principal: { AWS: '*' },
    });
  });

  test('refuses that anybody locks for longer than the settings say, by mistake or on purpose', () => {
    expect(denials.find((s) => s.Sid === 'NobodyLocksForLonger')).toMatchObject({
      Effect: 'Deny',
      Action: ['s3:PutObject', 's3:PutObjectRetention'],
      Principal: { AWS: '*' },
      Condition: { NumericGreaterThan: { 's3:object-lock-remaining-retention-days': '41' } },
    });
  });

  test('refuses to every role of Holdfast what would let versions go', () => {
    const own = denials.find((s) => s.Sid === 'OwnRolesKeepVersions');
    expect(own?.Action).toEqual(
      expect.arrayContaining([
        's3:DeleteObjectVersion',
        's3:PutBucketVersioning',
        's3:PutLifecycleConfiguration',
      ]),
    );
    const condition = own?.Condition as { ArnLike: Record<string, unknown> } | undefined;
    expect(flat(condition?.ArnLike['aws:PrincipalArn'])).toBe('arn:<AWS::Partition>:iam::*:role/holdfast-*');
  });
});

describe('without objectLock', () => {
  test('nothing is locked, and no schedule extends locks', () => {
    const bucket = Object.values(templateOf(vaultStack()).findResources('AWS::S3::Bucket'))[0];
    expect(bucket?.Properties).not.toHaveProperty('ObjectLockConfiguration');
    expect(
      clusterTemplate().findResources('AWS::Scheduler::Schedule', { Properties: { Name: 'lock-daily' } }),
    ).toEqual({});
  });

  test('roles of Holdfast are refused all the same what would let versions go', () => {
    const policies = Object.values(templateOf(vaultStack()).findResources('AWS::S3::BucketPolicy'));
    const sids = policies.flatMap((p) => p.Properties.PolicyDocument.Statement).map((s) => s.Sid);
    expect([sids.includes('OwnRolesKeepVersions'), sids.includes('NobodyLiftsLocks')]).toEqual([true, false]);
  });

  test('noncurrentDays says how long what was deleted stays', () => {
    const bucket = Object.values(
      templateOf(vaultStack('noncurrentDays: 90')).findResources('AWS::S3::Bucket'),
    )[0];
    expect(bucket?.Properties.LifecycleConfiguration.Rules.at(-1)).toMatchObject({
      NoncurrentVersionExpiration: { NoncurrentDays: 90 },
    });
  });
});

test('with objectLock, locks are extended every day, whatever becomes of backups', () => {
  cluster.hasResourceProperties('AWS::Scheduler::Schedule', {
    Name: 'lock-daily',
    ScheduleExpression: 'rate(1 day)',
    Target: { Input: '{}' },
  });
  expect(allowed(cluster, 'extend-locks/Role', 's3:PutObjectRetention')).toHaveLength(6);
});
