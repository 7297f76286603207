import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sessionPolicy } from '../../functions/core/restic/repository.ts';
import { securityTable, withTable } from '../../infra/security/table.ts';
import { type Names, wordsOf } from '../../infra/security/words.ts';

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

test('docs/security.md is what `npm run security-table` writes now', () => {
  expect(page).toBe(withTable(page, securityTable()));
}, 120_000); // it synthesizes all stacks

test('a page without the place for the table is refused', () => {
  expect(() => withTable('# Security\n', '')).toThrow('docs/security.md has no <!-- security-table');
});

describe('a right', () => {
  const names: Names = {
    cluster: 'prod',
    vault: 'holdfast-vault',
    regions: { first: 'eu-west-1', second: 'eu-central-1' },
    secrets: { backup: 'b', restore: 'r' },
    called: new Map(),
  };
  const bucket = 'arn:<AWS::Partition>:s3:::holdfast-vault-<AWS::AccountId>-eu-central-1';
  const right = (action: string, resource: string, condition?: object, denied = false) =>
    wordsOf({ action, resource, condition, denied }, names);

  test('that nobody found words for is shown as it is', () => {
    expect(right('iam:PassRole', 'arn:<AWS::Partition>:iam::<AWS::AccountId>:role/admin')).toEqual([
      { column: 'more', verb: 'iam:PassRole', object: 'arn:Partition:iam::AccountId:role/admin' },
    ]);
    expect(right('kms:Decrypt', '*')).toEqual([{ column: 'more', verb: 'kms:Decrypt', object: '*' }]);
  });

  test('to a part of a root is not shown as one to the whole', () => {
    expect(right('s3:DeleteObject', `${bucket}/restic/prod/*/locks/*`)).toEqual([
      { column: 'second', verb: 'deletes', object: 'restic/CLUSTER/*/locks/*' },
    ]);
    expect(right('s3:GetObject', `${bucket}/*`)).toEqual([{ column: 'second', verb: 'reads', object: '*' }]);
  });

  test('to remove versions, or in another bucket, has no word of its own', () => {
    expect(right('s3:DeleteObjectVersion', `${bucket}/records/prod/*`)).toEqual([
      { column: 'second', verb: 'DeleteObjectVersion', object: 'records' },
    ]);
    expect(right('s3:GetObject', 'arn:<AWS::Partition>:s3:::other/*')[0]).toMatchObject({ column: 'more' });
  });

  test('with a condition, or that is denied, says so', () => {
    const condition = { StringEquals: { 's3:x': 'y' } };
    expect(right('s3:PutObject', `${bucket}/records/prod/*`, condition)[0]?.object).toBe(
      'records (s3:x StringEquals y)',
    );
    expect(right('s3:PutObject', `${bucket}/records/prod/*`, undefined, true)[0]?.verb).toBe('never writes');
    expect(right('lambda:InvokeFunction', 'f', undefined, true)[0]?.verb).toBe('never lambda:InvokeFunction');
  });
});

test.each(['backup', 'restore', 'prune'] as const)(
  'the page says what credentials of a %s Job may do',
  (use) => {
    const { Statement } = sessionPolicy(['arn:b'], 'restic/prod/shop', use) as {
      Statement: { Action: string | string[]; Resource: string | string[] }[];
    };
    const verbs = { 's3:GetObject': 'reads', 's3:PutObject': 'writes', 's3:DeleteObject': 'deletes' };
    const may = Statement.flatMap(({ Action, Resource }) =>
      [Action].flat().flatMap((action) => {
        const verb = verbs[action as keyof typeof verbs];
        const below = [Resource].flat()[0]?.replace('arn:b/restic/prod/shop/', '').replace('*', '');
        return verb ? [`${verb}${below ? ` \`${below}\`` : ''}`] : [];
      }),
    );
    expect(page).toContain(`| ${use} | ${may.join(', ')} |`);
  },
);
