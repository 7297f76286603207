import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocks } from '../../functions/adapters/s3/object-locks.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import type { LockedBucket, StoredVersion } from '../../functions/ports/locked-bucket.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { REGION } from '../support/world.ts';
import { type Minio, startMinio } from './minio.ts';

// What Holdfast asks of an S3, asked of two: the emulator's, and MinIO, which is stricter.
const MIB = 1024 * 1024;
const DAY_MS = 24 * 3600 * 1000;
let minio: Minio;
beforeAll(async () => {
  minio = await startMinio();
});
afterAll(() => minio?.stop());

const servers = [
  ['the emulator', () => new S3Client({ region: REGION, forcePathStyle: true })],
  ['MinIO', () => minio.client(minio.root)],
] as const;

describe.each(servers)('%s', (_, connect) => {
  const Bucket = 'contract-locked';
  let s3: S3Client;
  let vault: Vault;
  let locks: LockedBucket;
  beforeAll(async () => {
    s3 = connect();
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    await s3.send(new CreateBucketCommand({ Bucket: 'contract-open' }));
    vault = openVault(Bucket, REGION, s3);
    locks = openLocks(Bucket, REGION, s3);
  });
  const put = (Key: string, Body = 'x') => s3.send(new PutObjectCommand({ Bucket, Key, Body }));
  const only = async (prefix: string): Promise<StoredVersion> => {
    const { versions } = await locks.versions(prefix, undefined);
    expect(versions).toHaveLength(1);
    return versions[0] as StoredVersion;
  };

  it('lets one of ten create an object', async () => {
    const writers = Array.from({ length: 10 }, (_, i) =>
      vault.putIf('race/new', Buffer.from(String(i)), undefined),
    );
    const won = (await Promise.all(writers)).flatMap((ok, i) => (ok ? [i] : []));
    expect(won).toHaveLength(1);
    expect((await vault.get('race/new')).toString()).toBe(String(won[0]));
  });

  it('lets one of ten replace an object that all have seen', async () => {
    await vault.putIf('race/old', Buffer.from('old'), undefined);
    const { etag } = (await vault.find('race/old')) as { etag: string };
    const writers = Array.from({ length: 10 }, (_, i) =>
      vault.putIf('race/old', Buffer.from(`new ${i}`), etag),
    );
    expect((await Promise.all(writers)).filter(Boolean)).toHaveLength(1);
  });

  it('replaces nothing that is not there', async () => {
    expect(await vault.putIf('race/none', Buffer.from('x'), '"00000000000000000000000000000000"')).toBe(
      false,
    );
    expect(await vault.exists('race/none')).toBe(false);
  });

  it('refuses an object whose bytes are not what was promised', async () => {
    const sha256 = createHash('sha256').update('other').digest('hex');
    await expect(vault.put('sum', Buffer.from('bytes'), { sha256 })).rejects.toMatchObject({
      name: 'VaultUnavailable',
    });
    expect(await vault.exists('sum')).toBe(false);
  });

  it('takes an object in parts, with the digest of each, into a bucket that locks what comes', async () => {
    await lockByDefault(s3, Bucket);
    const bytes = randomBytes(12 * MIB);
    const seen: string[] = [];
    await vault.upload('parts', Readable.from([bytes]), {
      bytes: bytes.length,
      metadata: { of: 'a test' },
      check: (sha256) => void seen.push(sha256),
    });
    expect(seen).toEqual([createHash('sha256').update(bytes).digest('hex')]);
    expect((await vault.get('parts')).equals(bytes)).toBe(true);
    expect(await vault.metadata('parts')).toEqual({ of: 'a test' });
  });

  it('lengthens a lock, and does not shorten it', async () => {
    await put('lengthen');
    const version = await only('lengthen');
    const inDays = (days: number) => ({
      mode: 'GOVERNANCE' as const,
      until: new Date(Math.ceil(Date.now() / 1000) * 1000 + days * DAY_MS),
    });
    const long = inDays(9);
    await locks.extend(version, long);
    await expect(locks.extend(version, inDays(3))).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(await locks.retention(version)).toEqual(long);
  });

  it('says of a bucket without locks that it has none', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'contract-open', Key: 'x', Body: 'x' }));
    const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'contract-open' }));
    const open = openLocks('contract-open', REGION, s3);
    const version = { key: 'x', version: Versions?.[0]?.VersionId ?? 'null', deleted: false };
    const until = new Date(Date.now() + DAY_MS);
    await expect(open.extend(version, { mode: 'GOVERNANCE', until })).rejects.toMatchObject({
      name: 'VaultNotLocked',
    });
  });

  it('shows what is deleted as deleted, and what is not as not', async () => {
    await put('marked/gone');
    await put('marked/here');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'marked/gone' }));
    const { versions } = await locks.versions('marked/', undefined);
    expect(versions.map(({ key, deleted }) => [key, deleted])).toEqual([
      ['marked/gone', true],
      ['marked/here', false],
    ]);
  });

  it('lists versions page by page, within a key too, each once', async () => {
    await put('pages/a');
    for (let i = 0; i < 25; i++) await put('pages/b');
    await put('pages/c');
    const paged = openLocks(Bucket, REGION, s3, 10);
    const seen: StoredVersion[] = [];
    let page = await paged.versions('pages/', undefined);
    seen.push(...page.versions);
    for (; page.next; seen.push(...page.versions)) page = await paged.versions('pages/', page.next);
    expect([seen.length, new Set(seen.map((v) => v.version)).size]).toEqual([27, 27]);
    expect([seen[0]?.key, seen.at(-1)?.key]).toEqual(['pages/a', 'pages/c']);
  });
});

// The emulator's default retention leaves out what comes in parts.
it('MinIO locks what comes in parts from its first moment', async () => {
  const Bucket = 'contract-parts';
  const s3 = minio.client(minio.root);
  await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  await lockByDefault(s3, Bucket);
  await openVault(Bucket, REGION, s3).upload('parts', Readable.from([randomBytes(12 * MIB)]));
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
