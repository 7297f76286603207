import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLocks } from '../../functions/adapters/s3/object-locks.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { openVersions } from '../../functions/adapters/s3/versions.ts';
import { type LocksUnderTest, locksContract } from '../support/locks-contract.ts';
import { vaultContract } from '../support/vault-contract.ts';
import { type VersionsUnderTest, versionsContract } from '../support/versions-contract.ts';
import { REGION } from '../support/world.ts';
import { type Minio, startMinio } from './minio.ts';

// What Holdfast asks of an S3, asked of two: the emulator's, and MinIO, which is stricter.
const DAY_MS = 24 * 3600 * 1000;
let minio: Minio;
beforeAll(async () => {
  minio = await startMinio();
});
afterAll(() => minio?.stop());

for (const [name, connect] of [
  ['the emulator', () => new S3Client({ region: REGION, forcePathStyle: true })],
  ['MinIO', () => minio.client(minio.root)],
] as const) {
  vaultContract(name, async () => {
    const s3 = connect();
    await s3.send(new CreateBucketCommand({ Bucket: 'contract-vault' }));
    return openVault('contract-vault', REGION, s3);
  });
  locksContract(name, () => openLocksUnderTest(connect(), 'contract-locked'));
  versionsContract(name, () => openVersionsUnderTest(connect(), 'contract-versions'));

  it(`${name} takes an object in parts, with the digest of each, into a bucket that locks what comes`, async () => {
    const s3 = connect();
    const Bucket = 'contract-default';
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    await lockByDefault(s3, Bucket);
    const bytes = randomBytes(12 * 1024 * 1024);
    const vault = openVault(Bucket, REGION, s3);
    await vault.upload('parts', Readable.from([bytes]), { check: () => undefined });
    expect((await vault.get('parts')).equals(bytes)).toBe(true);
  });
}

async function openLocksUnderTest(s3: S3Client, Bucket: string): Promise<LocksUnderTest> {
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  return {
    locks: openLocks(Bucket, REGION, s3),
    paged: (pageSize) => openLocks(Bucket, REGION, s3, pageSize),
    put: async (Key) => void (await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))),
    remove: async (Key) => void (await s3.send(new DeleteObjectCommand({ Bucket, Key }))),
    async withoutLocks() {
      const open = `${Bucket}-not`;
      await s3.send(new CreateBucketCommand({ Bucket: open }));
      await s3.send(new PutObjectCommand({ Bucket: open, Key: 'x', Body: 'x' }));
      const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: open }));
      const version = { key: 'x', version: Versions?.[0]?.VersionId ?? 'null', deleted: false };
      return { locks: openLocks(open, REGION, s3), version };
    },
  };
}

async function openVersionsUnderTest(s3: S3Client, Bucket: string): Promise<VersionsUnderTest> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' as const };
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  return {
    bucket: openVersions(Bucket, REGION, s3),
    put: async (Key, Body) => void (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))),
    remove: async (Key) => void (await s3.send(new DeleteObjectCommand({ Bucket, Key }))),
    async content(Key) {
      const got = await s3.send(new GetObjectCommand({ Bucket, Key })).catch((error: Error) => {
        if (error.name === 'NoSuchKey') return undefined;
        throw error;
      });
      return got?.Body?.transformToString();
    },
  };
}

// The emulator's default retention leaves out what comes in parts.
it('MinIO locks what comes in parts from its first moment', async () => {
  const Bucket = 'contract-parts';
  const s3 = minio.client(minio.root);
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  await lockByDefault(s3, Bucket);
  await openVault(Bucket, REGION, s3).upload('parts', Readable.from([randomBytes(12 * 1024 * 1024)]));
  const locks = openLocks(Bucket, REGION, s3);
  const [version] = (await locks.versions('parts', undefined)).versions;
  const until = version && (await locks.retention(version))?.until.getTime();
  expect(until).toBeGreaterThan(Date.now() + DAY_MS - 60_000);
});

async function lockByDefault(s3: S3Client, Bucket: string): Promise<void> {
  const Rule = { DefaultRetention: { Mode: 'GOVERNANCE' as const, Days: 1 } };
  const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' as const, Rule };
  await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
}
