import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FUNCTION_NAMES } from '../../functions/contract/functions.ts';
import { JOB_USES, type JobUse, jobRoleName } from '../../functions/contract/names.ts';
import { RIGHTS } from '../../infra/constructs/grants.ts';
import { allowed, clusterTemplate, flat, PRIMARY, REPLICA, type Statement, statementsOf } from './support.ts';

const template = clusterTemplate();
const roleArn = (use: JobUse) =>
  `arn:<AWS::Partition>:iam::<AWS::AccountId>:role/${jobRoleName('prod', use)}`;

/** What a Job does with an object, or with a prefix that it lists, and the namespace in the tag of its session. */
interface Attempt {
  readonly action: string;
  readonly bucket: string;
  readonly key: string;
  readonly tag: string | undefined;
}

/** The tags of Holdfast's own sessions, and of EKS Pod Identity. */
const TAG = /\$\{aws:PrincipalTag\/(?:holdfast-namespace|kubernetes-namespace)\}/;

/** Whether IAM's pattern matches: `*` and `?`; what a variable brings in is taken literally. */
function matches(pattern: string, tag: string | undefined, value: string): boolean {
  if (TAG.test(pattern) && tag === undefined) return false; // the whole statement does not apply
  const source = pattern
    .split(TAG)
    .map((part) =>
      part
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.'),
    )
    .join((tag ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${source}$`, 's').test(value);
}

function permits(
  { actions, resources, condition }: Statement,
  { action, bucket, key, tag }: Attempt,
): boolean {
  if (!actions.includes(action)) return false;
  if (action !== 's3:ListBucket') return resources.some((r) => matches(r, tag, `${bucket}/${key}`));
  const prefixes = (condition as { StringLike: { 's3:prefix': string | string[] } }).StringLike['s3:prefix'];
  return resources.includes(bucket) && [prefixes].flat().some((prefix) => matches(prefix, tag, key));
}
const can = (use: JobUse, attempt: Attempt): boolean =>
  statementsOf(template, `jobs-${use}`).some((statement) => permits(statement, attempt));

const OBJECT_ACTIONS = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
const FILES = ['config', 'keys/a', 'data/00/b', 'index/c', 'snapshots/d', 'locks/e'];
const FOREIGN = [
  ...FILES.flatMap((file) => [
    `restic/prod/other/${file}`,
    `restic/prod/shop2/${file}`,
    `restic/prod/_control-plane/${file}`,
    `restic/prod2/shop/${file}`,
  ]),
  'restic/prod/shop',
  'records/prod/nightly-20261118020000/record.json',
  'velero/prod/backups/nightly-20261118020000/velero-backup.json',
  'leases/prod/prune.json',
];
const inBoth = <T>(keys: readonly string[], of: (bucket: string, key: string) => T): T[] =>
  [PRIMARY, REPLICA].flatMap((bucket) => keys.map((key) => of(bucket, key)));

describe.each(JOB_USES)('credentials of a Job for %s', (use) => {
  const attempts = (keys: readonly string[], tag: string | undefined) =>
    inBoth(keys, (bucket, key) =>
      [...OBJECT_ACTIONS, 's3:ListBucket'].map((action) => ({ action, bucket, key, tag })),
    ).flat();
  const permitted = (keys: readonly string[], tag: string | undefined) =>
    attempts(keys, tag).filter((attempt) => can(use, attempt));

  test('open the repository of the namespace in their tag', () => {
    for (const file of FILES)
      expect(
        can(use, { action: 's3:GetObject', bucket: PRIMARY, key: `restic/prod/shop/${file}`, tag: 'shop' }),
      ).toBe(true);
    expect(
      can(use, { action: 's3:ListBucket', bucket: PRIMARY, key: 'restic/prod/shop/data/', tag: 'shop' }),
    ).toBe(true);
  });

  test('open no other repository, and nothing else of the vault', () => {
    expect(permitted(FOREIGN, 'shop')).toEqual([]);
  });

  test('open the repository of the control plane only with its tag', () => {
    const key = 'restic/prod/_control-plane/config';
    expect(can(use, { action: 's3:GetObject', bucket: PRIMARY, key, tag: '_control-plane' })).toBe(true);
    expect(permitted([key], 'control-plane')).toEqual([]);
  });

  test.each(['*', '?*', 'sho?', 'shop/../other', ''])('open no repository with the tag "%s"', (tag) => {
    expect(
      permitted(
        FILES.map((file) => `restic/prod/shop/${file}`),
        tag,
      ),
    ).toEqual([]);
    expect(permitted(FOREIGN, tag)).toEqual([]);
  });

  test('open nothing without the tag', () => {
    expect(permitted([...FOREIGN, ...FILES.map((file) => `restic/prod/shop/${file}`)], undefined)).toEqual(
      [],
    );
  });

  test('hold no action but these, no wildcard, and no version', () => {
    const actions = new Set(statementsOf(template, `jobs-${use}`).flatMap((s) => s.actions));
    const known = ['s3:GetBucketLocation', 's3:ListBucket', 'kms:Decrypt', 'kms:GenerateDataKey'];
    expect([...actions].filter((action) => ![...known, ...OBJECT_ACTIONS].includes(action))).toEqual([]);
  });

  test('use the keys of the vault alone, by their alias', () => {
    const kms = statementsOf(template, `jobs-${use}`).filter((s) => s.actions.includes('kms:Decrypt'));
    expect(kms.length).toBeGreaterThan(0);
    for (const { condition } of kms)
      expect(condition).toEqual({
        'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/holdfast-vault' },
      });
  });
});

/** Jobs of these uses run in the namespaces of tenants; Jobs that prune run in Holdfast's own. */
const OF_TENANTS = ['backup', 'read'] as const;

describe.each(OF_TENANTS)('credentials in a tenant’s namespace, for %s', (use) => {
  const own = FILES.map((file) => `restic/prod/shop/${file}`);

  test('can delete nothing but locks', () => {
    const deleted = inBoth(own, (bucket, key) => ({ action: 's3:DeleteObject', bucket, key, tag: 'shop' }))
      .filter((attempt) => can(use, attempt))
      .map(({ key }) => key);
    expect(deleted).toEqual(use === 'backup' ? ['restic/prod/shop/locks/e'] : []);
  });

  test('cannot write the replica', () => {
    const written = own.filter((key) =>
      ['s3:PutObject', 's3:DeleteObject'].some((action) =>
        can(use, { action, bucket: REPLICA, key, tag: 'shop' }),
      ),
    );
    expect(written).toEqual([]);
  });
});

test('a restore and a verification write nothing, and encrypt nothing', () => {
  const actions = statementsOf(template, 'jobs-read').flatMap((s) => s.actions);
  expect(actions).not.toContain('s3:PutObject');
  expect(actions).not.toContain('kms:GenerateDataKey');
});

describe.each(JOB_USES)('the role of Jobs for %s', (use) => {
  const minting = FUNCTION_NAMES.filter((name) => RIGHTS[name].mints === use);
  const roles = Object.values(
    template.findResources('AWS::IAM::Role', { Properties: { RoleName: jobRoleName('prod', use) } }),
  );
  interface Trust {
    readonly Action: string[];
    readonly Principal: { readonly AWS: unknown };
    readonly Condition: unknown;
  }
  const trust: Trust[] = roles.flatMap((role) => role.Properties.AssumeRolePolicyDocument.Statement);
  const started = Object.values(template.findResources('AWS::Lambda::Function'))
    .map((f) => f.Properties)
    .filter((f) => minting.some((name) => f.FunctionName === `holdfast-prod-${name}`));

  test('is one, and lasts an hour', () => {
    expect(roles.map((role) => role.Properties.MaxSessionDuration)).toEqual([3600]);
  });

  test('trusts exactly the functions that mint for this use', () => {
    expect(trust.flatMap(({ Principal }) => [Principal.AWS].flat().map(flat)).sort()).toEqual(
      started.map((f) => flat(f.Role)).sort(),
    );
    for (const action of ['sts:AssumeRole', 'sts:TagSession'])
      expect(FUNCTION_NAMES.filter((name) => allowed(template, name, action).includes(roleArn(use)))).toEqual(
        minting,
      );
    for (const { Environment } of started)
      expect(flat(Environment.Variables.HOLDFAST_JOB_ROLE_ARN)).toBe(roleArn(use));
  });

  test('demands the tag with a value, and no other tag', () => {
    for (const { Action, Condition } of trust) {
      expect(Action).toEqual(['sts:AssumeRole', 'sts:TagSession']);
      expect(Condition).toEqual({
        StringLike: { 'aws:RequestTag/holdfast-namespace': '?*' },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['holdfast-namespace'] },
      });
    }
  });
});

test('no function assumes a role of Jobs for another use, and no role but these is assumed by a function', () => {
  const uses = FUNCTION_NAMES.map((name) => [name, allowed(template, name, 'sts:AssumeRole')]);
  expect(uses).toEqual(
    FUNCTION_NAMES.map((name) => {
      const { mints } = RIGHTS[name];
      return [name, mints ? [roleArn(mints)] : []];
    }),
  );
});

test('only the functions of backups, restores, verifications and prunes start Jobs', () => {
  const minting = FUNCTION_NAMES.filter((name) => RIGHTS[name].mints);
  expect(minting.map((name) => [name, RIGHTS[name].mints])).toEqual([
    ['reconcile-volumes', 'backup'],
    ['reconcile-control-plane', 'backup'],
    ['reconcile-prune', 'prune'],
    ['reconcile-verify', 'read'],
    ['reconcile-restore-volumes', 'read'],
  ]);
});

describe('the policy of docs/volumes.md for an identity of EKS Pod Identity', () => {
  const page = readFileSync(new URL('../../docs/volumes.md', import.meta.url), 'utf8');
  const [permissions, trust] = [...page.matchAll(/^```json\n(.*?)^```/gms)].map((m) =>
    JSON.parse(m[1] ?? ''),
  );
  const statements: Statement[] = permissions.Statement.map((s: Record<string, never>) => ({
    actions: [s.Action].flat(),
    resources: [s.Resource].flat(),
    condition: s.Condition,
  }));
  const bucket = 'arn:aws:s3:::BUCKET';
  const permitted = (keys: readonly string[], tag: string | undefined) =>
    keys
      .flatMap((key) =>
        [...OBJECT_ACTIONS, 's3:ListBucket'].map((action) => ({
          action,
          bucket,
          key: key.replace('/prod/', '/CLUSTER/'),
          tag,
        })),
      )
      .filter((attempt) => statements.some((statement) => permits(statement, attempt)))
      .map(({ action, key }) => `${action} ${key}`);

  test('opens its namespace’s repository alone, deletes nothing but locks, and opens nothing without the tag', () => {
    const own = FILES.map((file) => `restic/prod/shop/${file}`);
    expect(permitted(FOREIGN, 'shop')).toEqual([]);
    expect(permitted([...FOREIGN, ...own], undefined)).toEqual([]);
    expect(permitted(own, 'shop').filter((line) => line.startsWith('s3:DeleteObject'))).toEqual([
      's3:DeleteObject restic/CLUSTER/shop/locks/e',
    ]);
    expect(permitted(own, 'shop')).toContain('s3:PutObject restic/CLUSTER/shop/data/00/b');
  });

  test('is of one EKS cluster and one service account', () => {
    expect(Object.keys(trust.Statement[0].Condition.StringEquals)).toEqual([
      'aws:SourceAccount',
      'aws:SourceArn',
      'aws:RequestTag/kubernetes-service-account',
    ]);
  });
});
