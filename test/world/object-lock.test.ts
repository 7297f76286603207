import {
  GetObjectRetentionCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signingKey } from '../../functions/adapters/kms/signing-key.ts';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { COPIES } from '../../functions/contract/copies.ts';
import { signingKeyAlias } from '../../functions/contract/names.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import { awsOf, readJson } from '../../world/demo/aws.ts';
import { demo, demoCopies } from '../../world/demo/config.ts';
import { deployWorld } from '../../world/demo/world-setup.ts';
import { findWorld } from '../../world/world.ts';
import { resticId } from '../support/restic-id.ts';
import { commitPoint, versionsOf } from './attacked-vault.ts';

// The lock machine as it is deployed.
const CLUSTER = 'locked';
const BACKUP = `${demo.plan}-20260101020000`;
const DAY_MS = 24 * 3600 * 1000;
const keys = vaultKeys(CLUSTER);
const aws = awsOf(demo.region, CLUSTER);
const copies = COPIES.map((name) => demoCopies[name]);
const pack = `${keys.restic.repository('shop')}/data/00/0011`;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const s3 = (region: string) => new S3Client({ region, forcePathStyle: true });

beforeAll(async () => {
  const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
  if (!world) throw new Error('HOLDFAST_WORLD names no world that is up');
  const plan = { namespaces: ['shop'], schedule: '0 3 1 1 *', cluster: CLUSTER };
  const vault = { objectLock: { mode: 'governance', days: 30 } };
  await deployWorld(world, { ...plan, vault }, () => undefined);
  const signer = signingKey(signingKeyAlias('holdfast-vault'), demo.region);
  for (const { bucket, region } of copies) {
    const copy = openVault(bucket, region);
    const old = { ObjectLockMode: 'GOVERNANCE' as const, ObjectLockRetainUntilDate: inDays(10) };
    await s3(region).send(new PutObjectCommand({ Bucket: copy.bucket, Key: pack, Body: 'old', ...old }));
    await commitPoint({ vault: copy, keys, signer }, BACKUP, resticId('snapshot'));
    const proof = { backup: BACKUP, region, bucket: copy.bucket, provenAt: inDays(-1 / 1440).toISOString() };
    const counts = { objects: 1, bytes: 1, copied: 1 };
    await copy.put(keys.records.replica(BACKUP), Buffer.from(JSON.stringify({ ...proof, ...counts })));
  }
});

/** The buckets are every test's: what they write after this one is not locked. */
afterAll(async () => {
  for (const { bucket, region } of copies) {
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' as const };
    await s3(region).send(new PutObjectLockConfigurationCommand({ Bucket: bucket, ObjectLockConfiguration }));
  }
});

it('locks an old pack again for the whole period, in both copies, and says until when', async () => {
  const began = Date.now();
  const { output, problem } = await aws.wait(await aws.start('lock', {}));
  expect(problem).toBe('');
  // In each copy: a pack that is 20 days old, and an archive, a record and a proof that are new.
  expect(output).toMatchObject({ copy: 'replica', remaining: 0, checked: 8, extended: 2 });
  for (const { bucket: Bucket, region } of copies) {
    const lock = await readJson<{ mode: string; until: string }>(region, Bucket, keys.records.lock(BACKUP));
    expect([lock.mode, Math.round((Date.parse(lock.until) - began) / DAY_MS)]).toEqual(['GOVERNANCE', 15]);
    const [version] = await versionsOf(s3(region), Bucket, pack);
    const { Retention } = await s3(region).send(
      new GetObjectRetentionCommand({ Bucket, Key: pack, VersionId: version?.VersionId }),
    );
    expect(Retention?.Mode).toBe('GOVERNANCE');
    expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(began + 29 * DAY_MS);
  }
});

it('locks what is written from its first moment', async () => {
  for (const { bucket, region } of copies) {
    const vault = openVault(bucket, region);
    const key = `${keys.restic.repository('shop')}/data/00/0022`;
    await vault.put(key, Buffer.from('new'));
    const at = { Bucket: vault.bucket, Key: key };
    const { Retention } = await s3(region).send(new GetObjectRetentionCommand(at));
    expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(inDays(29).getTime());
  }
});

it('extends nothing again the same day', async () => {
  const { output } = await aws.wait(await aws.start('lock', {}));
  expect(output).toMatchObject({ remaining: 0, extended: 0 });
});
