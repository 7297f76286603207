import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLocks } from '../../functions/adapters/s3/object-locks.ts';
import { COPIES } from '../../functions/contract/copies.ts';
import type { ObjectLockSettings } from '../../functions/contract/settings.ts';
import type { LockRequest } from '../../functions/contract/states.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { sessionPolicy } from '../../functions/core/restic/repository.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { lockCopy } from '../../functions/lock/extend-locks/lock-copy.ts';
import { replicate } from '../../functions/replicate/replicate-backup/replicate.ts';
import { findSignedRecord } from '../../functions/runtime/signed-records.ts';
import {
  clusterTemplate,
  LOCKED,
  PRIMARY,
  REPLICA,
  replicaStack,
  templateOf,
  vaultStack,
} from '../infra/support.ts';
import { keyPair } from '../support/key-pair.ts';
import { REGION } from '../support/world.ts';
import {
  commitPoint,
  onAws,
  refusedTo,
  resticWith,
  rewindInto,
  roleOf,
  type Version,
  vaultOf,
  versionsOf,
} from './attacked-vault.ts';
import { type Keys, type Minio, type Policy, startMinio } from './minio.ts';

// Somebody has the writer's credentials and every password, then those of the whole pipeline, and time.
const keys = vaultKeys('prod');
const MASTER = 'the attacker knows it';
const repository = keys.restic.repository('shop');
const arnOf = { primary: onAws(PRIMARY), replica: onAws(REPLICA) };
const bucketOf = {
  primary: arnOf.primary.split(':::')[1] ?? '',
  replica: arnOf.replica.split(':::')[1] ?? '',
};
const [OLD, MIDDLE, NEW] = [
  'nightly-20260101020000',
  'nightly-20260102020000',
  'nightly-20260103020000',
] as const;
const DAY_MS = 24 * 3600 * 1000;
/** The first period is over within this test; MinIO's clock cannot be moved. */
const FIRST_MS = 12_000;

/** MinIO's name for what AWS calls AccessDenied, too: it is the lock that refuses. */
const LOCKED_BY_S3 = 'InvalidRequest';

const signer = keyPair();
const template = clusterTemplate(undefined, {}, LOCKED);
const vaults = {
  primary: templateOf(vaultStack(LOCKED)),
  replica: templateOf(replicaStack(LOCKED)),
};
const work = mkdtempSync(join(tmpdir(), 'holdfast-attack-'));
const source = join(work, 'data');
const contents = new Map<string, Record<string, Buffer>>();
const snapshots = new Map<string, string>();

let minio: Minio;
let root: S3Client;
let writer: Keys;
let firstEnds: number;

const as = async (policy: Policy) => minio.client(await minio.session(policy));
/** The name of the error, or that there was none. */
const outcome = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => error.name,
  );
const copies = COPIES;

/** A pass over one copy, by the function's code under the function's role. */
async function lockAll(
  copy: (typeof copies)[number],
  lock: ObjectLockSettings,
  keepLast: number,
): Promise<LockRequest> {
  const s3 = await as(roleOf(template, 'extend-locks'));
  const now = new Date();
  const begin = { startedAt: now.toISOString(), copy, checked: 0, extended: 0, governed: 0 };
  return lockCopy(begin, vaultOf(bucketOf[copy], s3), openLocks(bucketOf[copy], REGION, s3), {
    keys,
    lock,
    retentionOf: () => ({ policies: [{ keepLast }], timeZone: 'UTC' }),
    verifier: signer,
    now,
    timeLeft: () => true,
  });
}

/** Files of the volume at a backup: some that never change, and some that do. */
function change(backup: string): void {
  mkdirSync(source, { recursive: true });
  const before = [...contents.values()].at(-1);
  const files = { 'old.bin': before?.['old.bin'] ?? randomBytes(700_000), 'new.bin': randomBytes(300_000) };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(source, name), bytes);
  contents.set(backup, files);
}

/** restic as a backup Job runs it: on the primary, with the Job's own credentials. */
const jobRestic = () =>
  resticWith({ endpoint: minio.url, bucket: bucketOf.primary, repository, master: MASTER, keys: writer });

beforeAll(async () => {
  minio = await startMinio();
  root = minio.client(minio.root);
  for (const copy of copies)
    await root.send(new CreateBucketCommand({ Bucket: bucketOf[copy], ObjectLockEnabledForBucket: true }));
  const onlyIts = sessionPolicy([arnOf.primary], repository, 'backup');
  writer = await minio.session(onlyIts as Policy);
  const restic = jobRestic();
  await restic('init');
  const primary = vaultOf(bucketOf.primary, await as(roleOf(template, 'commit-backup')));
  const replication = await as(roleOf(template, 'replicate-backup'));
  const records: BackupRecord[] = [];
  for (const backup of [OLD, MIDDLE, NEW]) {
    change(backup);
    const log = await restic('backup', source, '--json', '--host', 'prod', '--tag', `backup=${backup}`);
    const snapshot = String(/"snapshot_id":"([0-9a-f]+)"/.exec(log)?.[1]);
    snapshots.set(backup, snapshot);
    records.push(await commitPoint({ vault: primary, keys, signer }, backup, snapshot));
  }
  for (const record of records) {
    const [from, to] = [vaultOf(bucketOf.primary, replication), vaultOf(bucketOf.replica, replication)];
    expect(await replicate({ primary: from, replica: to, keys, timeLeft: () => true }, record)).toMatchObject(
      { remaining: 0 },
    );
    const proof = {
      backup: record.backup,
      region: 'eu-central-1',
      bucket: to.bucket,
      provenAt: new Date().toISOString(),
      objects: 1,
      bytes: 1,
      copied: 1,
    };
    for (const copy of [from, vaultOf(bucketOf.replica, replication)])
      await copy.put(keys.records.replica(record.backup), Buffer.from(JSON.stringify(proof)));
  }
  // The first period, while all three are kept; OLD is not any more when the locks are extended.
  for (const copy of copies) await lockAll(copy, { mode: 'COMPLIANCE', days: FIRST_MS / DAY_MS }, 3);
  firstEnds = Date.now() + FIRST_MS;
}, 120_000);

afterAll(async () => {
  await minio?.stop();
  rmSync(work, { recursive: true, force: true });
});

describe('with the credentials of a backup Job', () => {
  const at = (Key: string, copy: (typeof copies)[number] = 'primary') => ({ Bucket: bucketOf[copy], Key });
  const elsewhere = [
    keys.records.record(NEW),
    keys.velero.archive(NEW),
    `${keys.restic.repository('billing')}/config`,
    'restic/other/shop/config',
    keys.leases.restore,
  ];
  let s3: S3Client;
  let packs: Version[];
  beforeAll(async () => {
    s3 = minio.client(writer);
    packs = await versionsOf(root, bucketOf.primary, `${repository}/`);
  });

  it.each(elsewhere)('%s is neither read nor written nor deleted', async (key) => {
    const tried = [
      new GetObjectCommand(at(key)),
      new PutObjectCommand({ ...at(key), Body: 'mine' }),
      new DeleteObjectCommand(at(key)),
    ];
    for (const command of tried)
      expect(await outcome(s3.send(command as GetObjectCommand))).toBe('AccessDenied');
  });

  it('the second copy is out of reach', async () => {
    const key = `${repository}/config`;
    expect(await outcome(s3.send(new PutObjectCommand({ ...at(key, 'replica'), Body: 'x' })))).toBe(
      'AccessDenied',
    );
    expect(await outcome(s3.send(new GetObjectCommand(at(key, 'replica'))))).toBe('AccessDenied');
  });

  it('nothing of the repository is deleted but locks, neither an object nor a version', async () => {
    const Bucket = bucketOf.primary;
    for (const version of packs) {
      expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: version.Key })))).toBe(
        version.Key.includes('/locks/') ? 'done' : 'AccessDenied',
      );
      expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, ...version })))).toBe('AccessDenied');
    }
    expect(packs.length).toBeGreaterThan(8);
  });

  it('no lock is set', async () => {
    const [version] = packs as [Version];
    const Bucket = bucketOf.primary;
    const Retention = { Mode: 'COMPLIANCE' as const, RetainUntilDate: new Date(Date.now() + 100 * DAY_MS) };
    const longer = new PutObjectRetentionCommand({ Bucket, ...version, Retention });
    expect(await outcome(s3.send(longer))).toBe('AccessDenied');
    const off = new PutObjectLegalHoldCommand({ Bucket, ...version, LegalHold: { Status: 'OFF' } });
    expect(await outcome(s3.send(off))).toBe('AccessDenied');
  });

  it('the bucket stays as it is', async () => {
    const Bucket = bucketOf.primary;
    const tried = [
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' },
      }),
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [
            { ID: 'all', Status: 'Enabled', Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
          ],
        },
      }),
      new DeleteBucketPolicyCommand({ Bucket }),
      new DeleteBucketCommand({ Bucket }),
    ];
    for (const command of tried)
      expect(await outcome(s3.send(command as DeleteBucketCommand))).toBe('AccessDenied');
  });

  it('restic makes snapshots, which no record names, and forgets none', async () => {
    const restic = jobRestic();
    await restic('backup', source, '--json', '--host', 'prod', '--tag', `backup=${NEW}`);
    await expect(restic('forget', snapshots.get(NEW) ?? '', '--prune')).rejects.toThrow(
      /Access Denied|failed/,
    );
    expect(await restic('tag', '--set', 'mine', snapshots.get(NEW) ?? '')).toContain(
      'no snapshots were modified',
    );
    for (const snapshot of snapshots.values())
      expect(await outcome(s3.send(new GetObjectCommand(at(`${repository}/snapshots/${snapshot}`))))).toBe(
        'done',
      );
  });

  it('everything in the repository is overwritten: that is what versions are for', async () => {
    for (const { Key } of packs) await s3.send(new PutObjectCommand({ ...at(Key), Body: randomBytes(64) }));
    const restic = jobRestic();
    await expect(restic('snapshots', '--no-lock')).rejects.toThrow();
  });
});

describe('with the credentials of the whole pipeline, in both copies', () => {
  it('records are forged and everything is deleted, by delete markers', async () => {
    for (const copy of copies) {
      const vault = vaultOf(bucketOf[copy], root);
      const record = JSON.parse((await vault.get(keys.records.record(NEW))).toString()) as object;
      await vault.put(
        keys.records.record(NEW),
        Buffer.from(`${JSON.stringify({ ...record, volumes: [] }, null, 2)}\n`),
      );
      for (let day = 10; day < 25; day++) {
        const forged = { ...record, backup: `nightly-202601${day}020000` };
        await vault.put(keys.records.record(forged.backup), Buffer.from(JSON.stringify(forged, null, 2)));
      }
      const found = findSignedRecord(vault, keys.records.record(NEW), signer);
      await expect(found).rejects.toMatchObject({ name: 'RecordForged' });
    }
  });

  it('the next pass extends the locks of what was kept all the same, before the first period is over', async () => {
    for (const copy of copies) {
      expect((await lockAll(copy, { mode: 'COMPLIANCE', days: 1 }, 1)).extended).toBeGreaterThan(20);
      const lock = JSON.parse(
        (await vaultOf(bucketOf[copy], root).get(keys.records.lock(MIDDLE))).toString(),
      );
      expect(Date.parse(lock.until)).toBeGreaterThan(Date.now() + DAY_MS / 3);
    }
  });

  it('every object is deleted, and no version: the bucket refuses that to every role of Holdfast', async () => {
    for (const copy of copies) {
      const everything = {
        Effect: 'Allow' as const,
        Action: 's3:*',
        Resource: [arnOf[copy], `${arnOf[copy]}/*`],
      };
      const s3 = await as({ Statement: [everything, refusedTo(vaults[copy], bucketOf[copy])] });
      const Bucket = bucketOf[copy];
      for (const version of await versionsOf(root, Bucket)) {
        expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, ...version })))).toBe('AccessDenied');
        expect(await outcome(s3.send(new DeleteObjectCommand({ Bucket, Key: version.Key })))).toBe('done');
      }
      const suspended = { Bucket, VersioningConfiguration: { Status: 'Suspended' as const } };
      expect(await outcome(s3.send(new PutBucketVersioningCommand(suspended)))).toBe('AccessDenied');
    }
  });
});

describe('when the first period is over', () => {
  const isOf = (backup: string) => (v: Version) => v.Key.includes(`/${backup}/`);
  beforeAll(() => sleep(Math.max(0, firstEnds + 1000 - Date.now())));

  it.each(copies)(
    'whoever may do everything removes no version of what is kept from the %s',
    async (copy) => {
      const Bucket = bucketOf[copy];
      const originals = [...new Map((await versionsOf(root, Bucket)).map((v) => [v.Key, v])).values()];
      const kept = originals.filter(
        (v) =>
          (v.Key.startsWith(`${repository}/`) && !v.Key.includes('/locks/')) ||
          isOf(MIDDLE)(v) ||
          isOf(NEW)(v),
      );
      const past = { Mode: 'COMPLIANCE' as const, RetainUntilDate: new Date(Date.now() + 2000) };
      for (const version of kept.filter((v) => !v.Key.endsWith('/lock.json'))) {
        const removal = new DeleteObjectCommand({ Bucket, ...version, BypassGovernanceRetention: true });
        expect([version.Key, await outcome(root.send(removal))]).toEqual([version.Key, LOCKED_BY_S3]);
        const shorter = new PutObjectRetentionCommand({
          Bucket,
          ...version,
          Retention: past,
          BypassGovernanceRetention: true,
        });
        expect(await outcome(root.send(shorter))).toBe(LOCKED_BY_S3);
      }
      expect(kept.length).toBeGreaterThan(15);
    },
  );

  it.each(copies)(
    'what retention let go in the %s can go: it was the lock that held the rest',
    async (copy) => {
      const Bucket = bucketOf[copy];
      const gone = (await versionsOf(root, Bucket)).filter(isOf(OLD));
      for (const version of gone)
        expect(await outcome(root.send(new DeleteObjectCommand({ Bucket, ...version })))).toBe('done');
      expect(gone.length).toBeGreaterThan(1);
    },
  );

  it.each(copies)('what is kept restores byte for byte from the versions of the %s', async (copy) => {
    const folder = join(work, copy);
    await rewindInto(folder, root, bucketOf[copy]);
    for (const backup of [MIDDLE, NEW]) {
      const target = join(work, `${copy}-${backup}`);
      const record = readFileSync(join(folder, keys.records.record(backup)));
      const reader = { find: async () => ({ body: record, etag: '' }), bucket: copy };
      const found = await findSignedRecord(reader as never, keys.records.record(backup), signer);
      const snapshot = found?.record.volumes[0]?.snapshot ?? '';
      expect([found?.signed, snapshot]).toEqual([true, snapshots.get(backup)]);
      const local = resticWith({
        endpoint: minio.url,
        bucket: '',
        repository,
        master: MASTER,
        keys: minio.root,
      });
      const args = ['restore', `${snapshot}:${source}`, '--target', target, '--verify', '--no-lock'];
      await local('-r', join(folder, repository), ...args);
      for (const [name, bytes] of Object.entries(contents.get(backup) ?? {}))
        expect([backup, name, readFileSync(join(target, name)).equals(bytes)]).toEqual([backup, name, true]);
    }
  });
});

describe('a bucket as the template makes it', () => {
  it('locks what restic and Holdfast write from its first moment', async () => {
    const bucket = Object.values(vaults.primary.findResources('AWS::S3::Bucket'))[0]?.Properties;
    const Bucket = 'locked-from-birth';
    await root.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const ObjectLockConfiguration = bucket.ObjectLockConfiguration;
    await root.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    const policy = sessionPolicy([`arn:aws:s3:::${Bucket}`], repository, 'backup') as Policy;
    const restic = resticWith({
      endpoint: minio.url,
      bucket: Bucket,
      repository,
      master: MASTER,
      keys: await minio.session(policy),
    });
    await restic('init');
    await restic('backup', source);
    await vaultOf(Bucket, root).put('records/prod/x/record.json', Buffer.from('{}'));
    for (const version of await versionsOf(root, Bucket)) {
      const { Retention } = await root.send(new GetObjectRetentionCommand({ Bucket, ...version }));
      expect(Retention?.Mode).toBe('COMPLIANCE');
      expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 39 * DAY_MS);
    }
  });
});
