import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CREDENTIALS_FILES,
  type RepositoryUse,
  repositoryPassword,
  repositoryUrl,
  sessionFile,
  sessionPolicy,
  sessionScope,
} from '../../../../functions/core/restic/repository.ts';

describe('the password of a repository', () => {
  it('never changes: this one was made when the first repository was', () => {
    expect(repositoryPassword('correct horse battery staple', 'restic/paris/shop')).toBe(
      'nD1zrwm6q8LpXsoPNFIld5JPuzOhZ6v9WmztZugL-B0',
    );
  });

  it('differs from that of every other repository', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b && a.isWellFormed() && b.isWellFormed());
        expect(repositoryPassword('master', a)).not.toBe(repositoryPassword('master', b));
      }),
    );
  });

  it('differs under another master secret', () => {
    expect(repositoryPassword('one', 'restic/paris/shop')).not.toBe(
      repositoryPassword('two', 'restic/paris/shop'),
    );
  });

  it('has 256 bits and no character that a file or a shell would change', () => {
    expect(repositoryPassword('master', 'restic/paris/shop')).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });
});

describe('what restic is told', () => {
  it.each(['https://s3.example', 'https://s3.example/', 'https://s3.example//'])(
    'is one URL for %s',
    (endpoint) => {
      expect(repositoryUrl(endpoint, 'bucket', 'restic/paris/shop')).toBe(
        's3:https://s3.example/bucket/restic/paris/shop',
      );
    },
  );

  it('is a program that prints credentials, to be run again when they have expired', () => {
    expect(CREDENTIALS_FILES.credentials).toBe(
      '[default]\ncredential_process = cat /holdfast/session.json\n',
    );
    const c = { accessKeyId: 'AK', secretAccessKey: 'SK', sessionToken: 'ST', expiration: 'soon' };
    expect(JSON.parse(sessionFile(c))).toEqual({
      Version: 1,
      AccessKeyId: 'AK',
      SecretAccessKey: 'SK',
      SessionToken: 'ST',
      Expiration: 'soon',
    });
  });
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Condition?: unknown;
}

const BUCKETS = ['arn:aws:s3:::primary', 'arn:aws:s3:::replica'];
const statements = (use: RepositoryUse) =>
  (sessionPolicy(BUCKETS, 'restic/paris/shop', use) as { Statement: Statement[] }).Statement;

/** Whether the policy allows an action on an object; IAM's `*` crosses slashes. */
function allows(use: RepositoryUse, action: string, key: string, bucket = BUCKETS[0]): boolean {
  const matches = (pattern: string) =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(
      `${bucket}/${key}`,
    );
  return statements(use).some(
    (s) => s.Effect === 'Allow' && [s.Action].flat().includes(action) && [s.Resource].flat().some(matches),
  );
}

describe('the credentials of a Job', () => {
  const data = 'restic/paris/shop/data/00/0011';

  it.each(['config', 'keys/k', 'data/00/0011', 'index/i', 'snapshots/s'])(
    'cannot delete %s when the Job is a backup',
    (path) => {
      expect(allows('backup', 's3:DeleteObject', `restic/paris/shop/${path}`)).toBe(false);
    },
  );

  it('can delete a lock when the Job is a backup', () => {
    expect(allows('backup', 's3:DeleteObject', 'restic/paris/shop/locks/l')).toBe(true);
  });

  it('can write data when the Job is a backup', () => {
    expect(allows('backup', 's3:PutObject', data)).toBe(true);
  });

  it.each(['s3:PutObject', 's3:DeleteObject'])('do not allow %s when the Job is a restore', (action) => {
    expect(allows('restore', action, data)).toBe(false);
  });

  it.each(['s3:GetObject', 's3:PutObject', 's3:DeleteObject'])(
    'allow %s in both copies for a prune',
    (action) => {
      expect(BUCKETS.map((bucket) => allows('prune', action, data, bucket))).toEqual([true, true]);
    },
  );

  it.each(['backup', 'restore', 'prune'] as const)('open nothing outside the repository to a %s', (use) => {
    for (const key of [
      'restic/paris/shop-2/data/00/0011',
      'restic/paris/other/config',
      'records/paris/b/record.json',
    ])
      for (const action of ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'])
        expect(allows(use, action, key)).toBe(false);
  });

  it.each(['backup', 'restore', 'prune'] as const)('list nothing but the repository for a %s', (use) => {
    const list = statements(use).filter((s) => [s.Action].flat().includes('s3:ListBucket'));
    expect(list.map((s) => s.Condition)).toEqual([
      { StringLike: { 's3:prefix': ['restic/paris/shop/*', 'restic/paris/shop'] } },
    ]);
  });

  it.each(['backup', 'restore', 'prune'] as const)(
    'name every S3 action of a %s, without a wildcard',
    (use) => {
      const actions = statements(use).flatMap((s) => s.Action);
      expect(actions.filter((a) => a.includes('*') || /Bypass|Policy|Version/.test(a))).toEqual([]);
    },
  );

  it('fit into the 2,048 characters of a session policy for the longest names', () => {
    const bucket = `arn:aws-us-gov:s3:::${'b'.repeat(63)}`;
    const policy = sessionPolicy([bucket, bucket], `restic/${'c'.repeat(20)}/${'n'.repeat(63)}`, 'backup');
    expect(JSON.stringify(policy).length).toBeLessThanOrEqual(2048);
  });
});

describe('the session of a Job’s credentials', () => {
  it.each([
    ['restic/paris/shop', 'shop'],
    ['restic/paris/_control-plane', '_control-plane'],
  ])('of %s has the tag %s, by which the role is confined, and no other', (repository, namespace) => {
    const arns = ['arn:aws:s3:::first'];
    expect(sessionScope('nightly-1', arns, repository, 'backup')).toEqual({
      session: 'nightly-1',
      policy: sessionPolicy(arns, repository, 'backup'),
      tags: { 'holdfast-namespace': namespace },
    });
  });
});
