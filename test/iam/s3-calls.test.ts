import { describe, expect, it } from 'vitest';
import type { Request } from './recording.ts';
import { request } from './requests.ts';
import { needsOf } from './service-calls.ts';

const ACCOUNT = '000000000000';
const OBJECT = '/vault/records/c/x';
const UPLOAD = { uploadId: '' };

/** Actions and resources of a request, the resource without what every one begins with. */
const needs = (over: Partial<Request>) =>
  needsOf(request(over), ACCOUNT).map(
    ({ action, resource }) => `${action} ${resource.replace(/^arn:aws:s3:::/, '')}`,
  );

const read = 's3:GetObject vault/records/c/x';
const write = 's3:PutObject vault/records/c/x';
const [decrypt, encrypt] = ['kms:Decrypt key-of:vault', 'kms:GenerateDataKey key-of:vault'];

describe('what a request to S3 needs', () => {
  it.each<[string, Partial<Request>, string[]]>([
    ['reading: the key of the bucket', { path: OBJECT }, [read, decrypt]],
    [
      'a key that is encoded',
      { path: '/vault/records/c/a%20b%2Fc' },
      ['s3:GetObject vault/records/c/a b/c', decrypt],
    ],
    [
      'reading a version',
      { path: OBJECT, query: { versionId: '1' } },
      ['s3:GetObjectVersion vault/records/c/x', decrypt],
    ],
    ['looking: no key', { method: 'HEAD', path: OBJECT }, [read]],
    [
      'looking for a checksum: the key',
      { method: 'HEAD', path: OBJECT, headers: { 'x-amz-checksum-mode': 'ENABLED' } },
      [read, decrypt],
    ],
    ['what is missing: a listing', { path: OBJECT, status: 404 }, [read, decrypt, 's3:ListBucket vault']],
    ['writing: a data key', { method: 'PUT', path: OBJECT }, [write, encrypt]],
    [
      'writing what is not there: nothing more',
      { method: 'PUT', path: OBJECT, headers: { 'if-none-match': '*' } },
      [write, encrypt],
    ],
    [
      'replacing what is known: reading',
      { method: 'PUT', path: OBJECT, headers: { 'if-match': '"e"' } },
      [write, read, encrypt],
    ],
    [
      'a part of an upload: also decrypting',
      { method: 'PUT', path: OBJECT, query: UPLOAD },
      [write, encrypt, decrypt],
    ],
    [
      'the begin of an upload',
      { method: 'POST', path: OBJECT, query: { uploads: '' } },
      [write, encrypt, decrypt],
    ],
    [
      'giving an upload up',
      { method: 'DELETE', path: OBJECT, query: UPLOAD },
      ['s3:AbortMultipartUpload vault/records/c/x'],
    ],
    [
      'a copy: reading its source with its key',
      { method: 'PUT', path: OBJECT, headers: { 'x-amz-copy-source': '/other/velero/a%20b?versionId=7' } },
      [write, encrypt, 's3:GetObjectVersion other/velero/a b', 'kms:Decrypt key-of:other'],
    ],
    ['removing', { method: 'DELETE', path: OBJECT }, ['s3:DeleteObject vault/records/c/x']],
    [
      'removing a version',
      { method: 'DELETE', path: OBJECT, query: { versionId: '1' } },
      ['s3:DeleteObjectVersion vault/records/c/x'],
    ],
    [
      'removing many: each',
      { method: 'POST', path: '/vault/', query: { delete: '' }, body: { keys: ['a', 'b'] } },
      ['s3:DeleteObject vault/a', 's3:DeleteObject vault/b'],
    ],
    ['listing', { path: '/vault/', query: { 'list-type': '2', prefix: 'a/' } }, ['s3:ListBucket vault']],
    [
      'listing versions',
      { path: '/vault/', query: { versions: '', prefix: 'a/' } },
      ['s3:ListBucketVersions vault'],
    ],
    ['asking where it is', { path: '/vault/', query: { location: '' } }, ['s3:GetBucketLocation vault']],
    [
      'breaking a lock',
      { method: 'DELETE', path: OBJECT, headers: { 'x-amz-bypass-governance-retention': 'true' } },
      ['s3:DeleteObject vault/records/c/x', 's3:BypassGovernanceRetention vault/records/c/x'],
    ],
  ])('%s', (_, over, expected) => {
    expect(needs(over)).toEqual(expected);
  });

  it('has the prefix for conditions, of a missing object its key', () => {
    const contexts = (over: Partial<Request>) =>
      needsOf(request(over), ACCOUNT).map(({ context }) => context);
    expect(contexts({ path: '/vault/', query: { 'list-type': '2', prefix: 'a/' } })).toEqual([
      { 's3:prefix': 'a/' },
    ]);
    expect(contexts({ path: OBJECT, status: 404 })[2]).toEqual({ 's3:prefix': 'records/c/x' });
  });

  it('has mode, date and days of a lock for conditions', () => {
    const at = Date.parse('2026-01-01T00:00:00Z') / 1000;
    const body = { retainUntil: '2026-02-10T00:00:00Z', mode: 'COMPLIANCE' };
    const [need] = needsOf(
      request({ at, body, method: 'PUT', path: OBJECT, query: { retention: '' } }),
      ACCOUNT,
    );
    expect(need).toMatchObject({
      action: 's3:PutObjectRetention',
      context: { 's3:object-lock-mode': 'COMPLIANCE', 's3:object-lock-remaining-retention-days': '40' },
    });
  });

  it.each<[string, Partial<Request>]>([
    ['S3 GET object?acl', { path: OBJECT, query: { acl: '' } }],
    ['S3 PUT bucket?policy', { method: 'PUT', path: '/vault/', query: { policy: '' } }],
    ['S3 GET bucket?encryption', { path: '/vault/', query: { encryption: '' } }],
    [
      'states DeleteStateMachine',
      { service: 'states', method: 'POST', target: 'AWSStepFunctions.DeleteStateMachine' },
    ],
    ['sts GetSessionToken', { service: 'sts', method: 'POST', body: { Action: 'GetSessionToken' } }],
    ['eks DELETE /clusters/c', { service: 'eks', method: 'DELETE', path: '/clusters/c' }],
  ])('is not guessed: %s', (call, over) => {
    expect(() => needsOf(request(over), ACCOUNT)).toThrow(call);
  });
});

describe('what other requests need', () => {
  it('is the schedule of its group, of who asks for a schedule', () => {
    const over = {
      service: 'scheduler',
      method: 'GET',
      path: '/schedules/backup-nightly',
      query: { groupName: 'holdfast-demo' },
    };
    expect(needs(over)).toEqual([
      expect.stringMatching(/^scheduler:GetSchedule .*:schedule\/holdfast-demo\/backup-nightly$/),
    ]);
  });

  const of = (over: Partial<Request>) => needsOf(request({ method: 'POST', ...over }), ACCOUNT);

  it('a secret by name: the name with the characters that AWS appends', () => {
    const call = {
      service: 'secretsmanager',
      target: 'secretsmanager.GetSecretValue',
      body: { SecretId: 'holdfast/c/x' },
    };
    expect(of(call)).toEqual([
      {
        action: 'secretsmanager:GetSecretValue',
        resource: 'arn:aws:secretsmanager:eu-west-1:000000000000:secret:holdfast/c/x-a1B2c3',
      },
    ]);
  });
  it('a key by alias: the key of the region', () => {
    const call = { service: 'kms', target: 'TrentService.Sign', body: { KeyId: 'alias/a' } };
    expect(of(call)).toEqual([{ action: 'kms:Sign', resource: 'alias-of:eu-west-1:alias/a' }]);
  });
  it('a session with tags: the right to give tags, on the same role', () => {
    const body = { Action: 'AssumeRole', RoleArn: 'R', 'Tags.member.1.Key': 'k', 'Tags.member.1.Value': 'v' };
    expect(of({ service: 'sts', body })).toMatchObject([
      { action: 'sts:AssumeRole', resource: 'R', context: { 'aws:RequestTag/k': 'v', 'aws:TagKeys': ['k'] } },
      { action: 'sts:TagSession', resource: 'R' },
    ]);
  });
  it('who one is: nothing', () => {
    expect(of({ service: 'sts', body: { Action: 'GetCallerIdentity' } })).toEqual([]);
  });
});
