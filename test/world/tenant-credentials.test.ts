import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COPIES, type CopyName } from '../../functions/contract/copies.ts';
import type { FunctionName } from '../../functions/contract/functions.ts';
import { type RepositoryUse, sessionPolicy } from '../../functions/core/restic/repository.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { clusterTemplate, LOCKED, PRIMARY, REPLICA } from '../infra/support.ts';
import { jobRoleOf, roleStatements } from '../support/tenant-role.ts';
import { onAws, resticWith, type Version, versionsOf } from './attacked-vault.ts';
import { type Minio, type Policy, startMinio } from './minio.ts';

// What the Secret of a Job in the tenant's namespace opens. IAM allows what both the role and the session policy allow:
// each of them alone must already refuse all else, so that one of them may be wrong.
const keys = vaultKeys('prod');
const MASTER = 'the tenant does not know it';
const OWN = keys.restic.repository('shop');
const OTHERS = ['billing', '_control-plane', 'shop-2', 'sho'].map((n) => keys.restic.repository(n));
const arnOf = { primary: onAws(PRIMARY), replica: onAws(REPLICA) };
const bucketOf = {
  primary: arnOf.primary.split(':::')[1] ?? '',
  replica: arnOf.replica.split(':::')[1] ?? '',
};
const template = clusterTemplate(undefined, {}, LOCKED);
const work = mkdtempSync(join(tmpdir(), 'holdfast-tenant-'));
const source = join(work, 'data');

/** A Job that runs in the namespaces of tenants. `copies`: those that it needs. */
interface TenantJob {
  readonly by: FunctionName;
  readonly use: RepositoryUse;
  readonly copies: readonly CopyName[];
}
const JOBS: readonly TenantJob[] = [
  { by: 'reconcile-volumes', use: 'backup', copies: ['primary'] },
  { by: 'reconcile-restore-volumes', use: 'restore', copies: COPIES },
];
const LIMITS = ['role', 'session policy'] as const;
const CASES = JOBS.flatMap((job) => LIMITS.map((limit) => ({ ...job, limit })));
type Case = (typeof CASES)[number];

let minio: Minio;
let root: S3Client;

/** The policy that alone limits the credentials of a case. A restore's are for the copy that it reads. */
function policyOf({ by, use, limit, copies }: Case, copy: CopyName): Policy {
  const own = copies.includes(copy) ? copy : 'primary';
  if (limit === 'session policy') return sessionPolicy([arnOf[own]], OWN, use) as Policy;
  const statements = roleStatements(template, jobRoleOf(template, by), 'shop');
  return {
    Statement: statements.map(({ actions, resources, condition }) => ({
      Effect: 'Allow' as const,
      Action: actions,
      Resource: resources.map(onAws),
      ...(condition !== undefined && { Condition: condition }),
    })),
  };
}
const keysFor = (of: Case, copy: CopyName) => minio.session(policyOf(of, copy));
const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => error.name,
  );
const resticOf = async (of: Case, copy: CopyName, repository = OWN) =>
  resticWith({
    endpoint: minio.url,
    bucket: bucketOf[copy],
    repository,
    master: MASTER,
    keys: await keysFor(of, copy),
  });

beforeAll(async () => {
  minio = await startMinio();
  root = minio.client(minio.root);
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'of the shop');
  for (const copy of COPIES) {
    const Bucket = bucketOf[copy];
    await root.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    for (const repository of [OWN, ...OTHERS]) {
      const at = { endpoint: minio.url, bucket: Bucket, repository, master: MASTER, keys: minio.root };
      await resticWith(at)('init');
      await resticWith(at)('backup', source);
    }
    for (const key of ['records/prod/x/record.json', 'leases/prod/restore.json', 'restic/other/shop/config'])
      await root.send(new PutObjectCommand({ Bucket, Key: key, Body: '{}' }));
  }
}, 120_000);
afterAll(async () => {
  await minio?.stop();
  rmSync(work, { recursive: true, force: true });
});

it('the password of one repository opens no other, whoever may read it', async () => {
  for (const repository of OTHERS) {
    const at = { endpoint: minio.url, bucket: bucketOf.primary, repository, keys: minio.root };
    const mine = resticWith({ ...at, master: MASTER, passwordOf: OWN });
    await expect(mine('snapshots', '--no-lock')).rejects.toThrow(/wrong password|no key found/);
  }
});

describe.each(CASES)('the credentials of a $use Job, by the $limit alone', (of) => {
  it('are enough for the Job', async () => {
    for (const copy of of.copies) {
      const restic = await resticOf(of, copy);
      if (of.use === 'backup') {
        await restic('backup', source, '--host', 'prod');
        await restic('unlock');
      }
      const target = mkdtempSync(join(work, 'target-'));
      await restic('restore', 'latest', '--target', target, '--no-lock');
    }
  });

  it.each(COPIES)('open no other repository in the %s, and nothing else of the vault', async (copy) => {
    const s3 = minio.client(await keysFor(of, copy));
    const Bucket = bucketOf[copy];
    const others = await Promise.all(OTHERS.map((r) => versionsOf(root, Bucket, `${r}/`)));
    const elsewhere = [
      ...others.flat().map((v) => v.Key),
      'records/prod/x/record.json',
      'leases/prod/restore.json',
      'restic/other/shop/config',
    ];
    const opened: string[] = [];
    for (const Key of new Set(elsewhere))
      for (const command of [
        new GetObjectCommand({ Bucket, Key }),
        new PutObjectCommand({ Bucket, Key, Body: 'mine' }),
        new DeleteObjectCommand({ Bucket, Key }),
      ])
        if ((await outcome(s3.send(command as GetObjectCommand))) !== 'AccessDenied')
          opened.push(`${command.constructor.name} ${Key}`);
    for (const Prefix of ['', 'records/', 'restic/', 'restic/prod/', ...OTHERS.map((r) => `${r}/`)])
      for (const command of [
        new ListObjectsV2Command({ Bucket, Prefix }),
        new ListObjectVersionsCommand({ Bucket, Prefix }),
      ])
        if ((await outcome(s3.send(command as ListObjectsV2Command))) !== 'AccessDenied')
          opened.push(`${command.constructor.name} ${Prefix}`);
    expect(opened).toEqual([]);
  });

  it.each(COPIES)('delete nothing in the %s but locks, and no version', async (copy) => {
    const s3 = minio.client(await keysFor(of, copy));
    const Bucket = bucketOf[copy];
    const lock = `${OWN}/locks/${'0'.repeat(64)}`;
    await root.send(new PutObjectCommand({ Bucket, Key: lock, Body: 'x' }));
    const deleted: string[] = [];
    const versions: Version[] = await versionsOf(root, Bucket, `${OWN}/`);
    for (const { Key, VersionId } of versions.filter((v) => v.Key !== lock))
      for (const at of [{ Key }, { Key, VersionId }])
        if ((await outcome(s3.send(new DeleteObjectCommand({ Bucket, ...at })))) !== 'AccessDenied')
          deleted.push(JSON.stringify(at));
    expect(deleted.filter((at) => !at.includes('/locks/') || at.includes('VersionId'))).toEqual([]);
    expect(versions.length).toBeGreaterThan(4);
    const unlocked = await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: lock })));
    expect(unlocked).toBe(of.use === 'backup' && copy === 'primary' ? 'done' : 'AccessDenied');
  });

  it('write nothing where the Job writes nothing', async () => {
    const written: string[] = [];
    for (const copy of COPIES) {
      const s3 = minio.client(await keysFor(of, copy));
      const at = { Bucket: bucketOf[copy], Key: `${OWN}/data/00/${'0'.repeat(64)}`, Body: 'x' };
      if ((await outcome(s3.send(new PutObjectCommand(at)))) === 'done') written.push(copy);
    }
    expect(written).toEqual(of.use === 'backup' ? ['primary'] : []);
  });

  it('make restic forget nothing', async () => {
    const copy = of.copies[0] as CopyName;
    const restic = await resticOf(of, copy);
    const list = async () => JSON.parse(await restic('snapshots', '--json', '--no-lock')) as { id: string }[];
    const before = (await list()).map((s) => s.id);
    await expect(restic('forget', ...before, '--no-lock')).rejects.toThrow();
    expect((await list()).map((s) => s.id)).toEqual(before);
  });
});
