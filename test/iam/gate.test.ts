import { describe, expect, it } from 'vitest';
import { demoCopies, worldConfig } from '../../world/demo/config.ts';
import { answered } from './answers.ts';
import type { Ask } from './ask.ts';
import { asksOf } from './asks.ts';
import { Findings, judgeVariant } from './gate.ts';
import { modelOf } from './model.ts';
import { Permissions } from './permissions.ts';
import type { Recording } from './recording.ts';
import { recordingOf, request } from './requests.ts';
import type { PlacedStack } from './resolve.ts';
import { VARIANTS, type Variant, type VariantKind, variantOf } from './variants.ts';

const ACCOUNT = '000000000000';
const { primary, replica } = demoCopies;
/** The first to make a variant loads the CDK and what is known of AWS's actions. */
const LOADING = { timeout: 120_000 };
const CONFIG = worldConfig(['shop'], 'http://10.201.0.1:4566');
const made = new Map<string, Variant>();

/** A variant of the demo's configuration, made once. */
function variant(name = 'as deployed'): Variant {
  const kind = VARIANTS.find((v) => v.name === name) as VariantKind;
  const found = made.get(name) ?? variantOf(kind, CONFIG, ACCOUNT);
  made.set(name, found);
  return found;
}

/** What the gate says of a recording. */
async function findings(recording: Recording, judged = variant()): Promise<string[]> {
  const { asks, unknown } = asksOf(recording, ACCOUNT);
  const found = new Findings();
  await judgeVariant(judged, asks, found, new Permissions());
  return [...unknown, ...found.words()];
}

/** A variant whose templates somebody has changed: each text that is replaced must be there. */
function changed(from: Variant, stack: string, replace: (resources: string) => string): Variant {
  const stacks = from.model.stacks.map((s): PlacedStack => {
    if (s.name !== stack) return s;
    const before = JSON.stringify(s.resources);
    const after = replace(before);
    if (after === before) throw new Error(`nothing to change in ${stack}`);
    return { ...s, resources: JSON.parse(after) };
  });
  return { ...from, model: modelOf(stacks) };
}

const CLUSTER = 'holdfast-cluster-demo';
const OPEN = 'holdfast-demo-open-backup';
const listing = request({
  path: `/${primary.bucket}/`,
  query: { 'list-type': '2', prefix: 'records/demo/apps-20260101000000/' },
});
const writing = request({ method: 'PUT', path: `/${primary.bucket}/records/demo/b/work.json` });

describe('the gate', () => {
  it.each(VARIANTS)(
    'lets through what the templates allow, and AWS’s own services: $name',
    LOADING,
    async ({ name }) => {
      expect(await findings(recordingOf(OPEN, [listing, writing]), variant(name))).toEqual([]);
    },
  );

  it('names function, action, resource and what is missing', async () => {
    const elsewhere = request({ path: `/${primary.bucket}/restic/demo/shop/config` });
    const [finding = ''] = await findings(recordingOf(OPEN, [elsewhere]));
    expect(finding).toContain(
      `${OPEN} may not s3:GetObject on arn:aws:s3:::${primary.bucket}/restic/demo/shop/config`,
    );
    expect(finding).toContain('no statement allows it in policies of holdfast-');
  });

  it('does not open for a call that no table knows', async () => {
    const acl = request({ path: `/${primary.bucket}/records/demo/x`, query: { acl: '' } });
    const other = request({ service: 'kms', method: 'POST', target: 'TrentService.ScheduleKeyDeletion' });
    const found = await findings(recordingOf(OPEN, [acl, other]));
    expect(found[0]).toContain('S3 GET object?acl');
    expect(found[1]).toContain('kms ScheduleKeyDeletion');
  });

  it('does not judge what tests and people do', async () => {
    const person = request({ key: 'test', path: `/${primary.bucket}/restic/demo/x` });
    expect(await findings(recordingOf(OPEN, [person]))).toEqual([]);
    expect(await findings(recordingOf('a-function-of-a-test', [writing]))).toEqual([]);
  });
});

describe('a permission that is taken out of a template', () => {
  it('of listing: the function may not list', async () => {
    const narrow = changed(variant(), CLUSTER, (text) =>
      text.replace('"s3:prefix":["records/demo/*",', '"s3:prefix":['),
    );
    expect(await findings(recordingOf(OPEN, [listing]), narrow)).toEqual([
      expect.stringContaining(`${OPEN} may not s3:ListBucket`),
    ]);
  });

  it('of the vault’s key: what writes to S3 may not', async () => {
    const keyless = changed(variant(), CLUSTER, (text) =>
      text.replaceAll('"kms:GenerateDataKey"', '"kms:ReEncryptTo"'),
    );
    expect(await findings(recordingOf(OPEN, [writing]), keyless)).toEqual([
      expect.stringContaining(`${OPEN} may not kms:GenerateDataKey on arn:aws:kms:eu-west-1`),
    ]);
  });

  it('of a trust: the service may not take the role', async () => {
    const distrusted = changed(variant(), CLUSTER, (text) =>
      text.replace('lambda.amazonaws.com', 'ec2.amazonaws.com'),
    );
    expect(await findings(recordingOf(OPEN, []), distrusted)).toEqual([
      expect.stringMatching(/service lambda.amazonaws.com may not sts:AssumeRole[\s\S]*trust of/),
    ]);
  });

  it('of a prefix: what is outside is denied', async () => {
    const narrowed = changed(variant(), CLUSTER, (text) =>
      text.replaceAll('/records/demo/*', '/records/demo/other/*'),
    );
    expect(await findings(recordingOf(OPEN, [writing]), narrowed)).toEqual([
      expect.stringContaining(`${OPEN} may not s3:PutObject`),
    ]);
  });

  it('of the other account’s bucket: the pipeline may not enter', async () => {
    const replicate = 'holdfast-demo-replicate-backup';
    const copy = request({ method: 'PUT', region: replica.region, path: `/${replica.bucket}/velero/demo/x` });
    const apart = variant('replica in another account');
    expect(await findings(recordingOf(replicate, [copy]), apart)).toEqual([]);
    const closed = changed(apart, 'holdfast-vault-replica', (text) =>
      text.replaceAll('"s3:PutObject"', '"s3:PutObjectAcl"'),
    );
    expect(await findings(recordingOf(replicate, [copy]), closed)).toEqual([
      expect.stringMatching(/s3:PutObject[\s\S]*policy of the bucket/),
    ]);
  });
});

describe('a key that is missing', () => {
  const missing = (key: string) => request({ path: `/${primary.bucket}/${key}`, status: 404 });

  it('is a 404 only to who may list it', async () => {
    expect(await findings(recordingOf(OPEN, [missing('records/demo/b/record.json')]))).toEqual([]);
    const blind = changed(variant(), CLUSTER, (text) =>
      text.replaceAll('"s3:prefix":["records/demo/*"', '"s3:prefix":["x/*"'),
    );
    expect(await findings(recordingOf(OPEN, [missing('records/demo/b/record.json')]), blind)).toEqual([
      expect.stringMatching(/s3:ListBucket .*"s3:prefix":"records\/demo\/b\/record.json"/),
    ]);
  });
});

describe('credentials of a Job', () => {
  const role = 'arn:aws:iam::000000000000:role/holdfast-demo-test-jobs';
  const policy = (path: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: `arn:aws:s3:::${primary.bucket}/${path}` }],
    });
  /** The templates with one more role, whose policy goes by a session tag. */
  const tagged = (): Variant =>
    changed(variant(), CLUSTER, (text) => {
      const resources = JSON.parse(text);
      resources.TestRole = {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'holdfast-demo-test-jobs',
          AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] },
          Policies: [
            {
              PolicyName: 'own',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  {
                    Effect: 'Allow',
                    Action: 's3:DeleteObject',
                    Resource: `arn:aws:s3:::${primary.bucket}/restic/demo/\${aws:PrincipalTag/holdfast-namespace}/*`,
                  },
                ],
              },
            },
          ],
        },
      };
      return JSON.stringify(resources);
    });
  const removal = request({
    key: 'SESSION',
    method: 'DELETE',
    path: `/${primary.bucket}/restic/demo/shop/locks/1`,
  });
  const of = (path: string, namespace: string) =>
    recordingOf('holdfast-demo-reconcile-volumes', [removal], {
      role,
      policy: policy(path),
      tags: [{ Key: 'holdfast-namespace', Value: namespace }],
    });

  it('reach what role, tag and session policy all allow', async () => {
    expect(await findings(of('restic/demo/shop/*', 'shop'), tagged())).toEqual([]);
  });
  it('reach nothing with the tag of another namespace', async () => {
    expect(await findings(of('restic/demo/shop/*', 'bank'), tagged())).toHaveLength(1);
  });
  it('reach nothing that the session policy leaves out', async () => {
    expect(await findings(of('restic/demo/bank/*', 'shop'), tagged())).toEqual([
      expect.stringContaining('session policy'),
    ]);
  });
});

describe('a function that asks for a session', () => {
  const assume = (tags: object) =>
    request({
      service: 'sts',
      method: 'POST',
      body: {
        Action: 'AssumeRole',
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/test-jobs`,
        RoleSessionName: 's',
        ...tags,
      },
    });
  const TAG = { 'Tags.member.1.Key': 'holdfast-namespace', 'Tags.member.1.Value': 'shop' };
  /** The templates with a role that trusts the function to do this, if it gives the tag. */
  const trusting = (actions: string[], who = OPEN): Variant =>
    changed(variant(), CLUSTER, (text) => {
      const resources = JSON.parse(text);
      const AWS = variant().model.roleOf('function', who)?.arn;
      const Condition = { StringLike: { 'aws:RequestTag/holdfast-namespace': '?*' } };
      resources.TestRole = {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'test-jobs',
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: actions, Condition }],
          },
        },
      };
      return JSON.stringify(resources);
    });
  const BOTH = ['sts:AssumeRole', 'sts:TagSession'];

  it('gets it where the role trusts it', async () => {
    expect(await findings(recordingOf(OPEN, [assume(TAG)]), trusting(BOTH))).toEqual([]);
  });
  it('gets none where the role trusts another function', async () => {
    const other = trusting(BOTH, 'holdfast-demo-commit-backup');
    expect(await findings(recordingOf(OPEN, [assume(TAG)]), other)).toEqual([
      expect.stringContaining('sts:AssumeRole'),
      expect.stringContaining('sts:TagSession'),
    ]);
  });
  it('gets none of a role that no template has', async () => {
    expect(await findings(recordingOf(OPEN, [assume({})]))).toEqual([
      expect.stringContaining('no template has the role'),
    ]);
  });
  it('gets none with tags that the role does not let it give', async () => {
    expect(await findings(recordingOf(OPEN, [assume(TAG)]), trusting(['sts:AssumeRole']))).toEqual([
      expect.stringContaining('sts:TagSession'),
    ]);
  });
  it('gets none without the tag that the trust asks for', async () => {
    expect(await findings(recordingOf(OPEN, [assume({})]), trusting(BOTH))).toEqual([
      expect.stringContaining('trust of'),
    ]);
  });
});

describe('an unused permission', () => {
  it('is one that no allowed call needed', async () => {
    const permissions = new Permissions();
    const asks: Ask[] = [...asksOf(recordingOf(OPEN, [listing]), ACCOUNT).asks];
    await judgeVariant(variant(), asks, new Findings(), permissions);
    const unused = permissions.unused().filter((text) => text.startsWith('open-backup s3:ListBucket'));
    expect(unused).toEqual(['open-backup s3:ListBucket arn:aws:s3:::<primary> leases/<cluster>/*']);
  });

  it('is not a listing of what is read: it makes a missing object a 404', async () => {
    const permissions = new Permissions();
    const reading = request({ path: `/${primary.bucket}/leases/demo/x` });
    await judgeVariant(
      variant(),
      asksOf(recordingOf(OPEN, [reading, listing]), ACCOUNT).asks,
      new Findings(),
      permissions,
    );
    expect(permissions.unused().filter((text) => text.startsWith('open-backup s3:ListBucket'))).toEqual([]);
  });
});

describe('a reason', () => {
  it('is for what it names, `*` for anything and an escaped one for itself; it is stale without it', () => {
    const reasons = [
      ['a * of b', ''],
      ['b:\\*', ''],
      ['never', ''],
      ['seldom', '', 'in some runs'],
    ] as const;
    expect(answered(['a list of b', 'b:*', 'b:1'], reasons)).toEqual({ open: ['b:1'], stale: ['never'] });
  });
});
