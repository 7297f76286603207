import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3Client } from '../../functions/adapters/s3/vault.ts';
import { openVersions } from '../../functions/adapters/s3/versions.ts';
import { machineName } from '../../functions/contract/names.ts';
import type { ObjectVersion } from '../../functions/core/vault/rewind.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { makeOwnVault } from '../support/own-vault.ts';
import { REGION } from '../support/world.ts';
import { holdfastWith } from './cli.ts';
import { createMachine, run } from './emulator.ts';

// A vault that somebody with the right to write and delete has been at. Nothing is deployed: S3 and restic are all it takes.
const CLUSTER = 'rewind';
const MIB = 1024 * 1024;
const keys = vaultKeys(CLUSTER);
const repository = keys.restic.repository('shop');
const folder = mkdtempSync(join(tmpdir(), 'rewind-data-'));
const files = new Map<string, Buffer>();
let vault: Vault;
let holdfast: (...args: string[]) => string;
const restic = (...args: string[]) => holdfast('restic', `${CLUSTER}/shop`, '--', ...args);
const versions = (pieceBytes?: number) => openVersions(vault.bucket, REGION, s3Client(REGION), pieceBytes);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The digest of everything that is to be seen of the cluster. */
async function view(): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const prefix of ['velero/', 'restic/', 'records/'])
    for await (const { key } of vault.list(`${prefix}${CLUSTER}/`))
      if (!key.includes('/locks/'))
        seen[key] = createHash('sha256')
          .update(await vault.get(key))
          .digest('hex');
  return seen;
}
async function allVersions(): Promise<ObjectVersion[]> {
  const all: ObjectVersion[] = [];
  for await (const of of versions().versions('')) all.push(...of);
  return all;
}
const below = async (prefix: string) => {
  const found: { key: string; bytes: number }[] = [];
  for await (const object of vault.list(prefix)) found.push(object);
  return found;
};
/** S3 keeps whole seconds: what comes now is of a later one. */
const nextSecond = () => sleep(1001 - (Date.now() % 1000));

function writeFiles(): void {
  for (let i = 0; i < 40; i++) files.set(`${i % 5}/file-${i}`, randomBytes(64 * 1024));
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}
async function recoveryPoint(name: string): Promise<void> {
  await vault.put(keys.velero.archive(name), randomBytes(10_000), { metadata: { of: name } });
  await vault.put(keys.velero.backup(name), Buffer.from(`{"name":"${name}"}`));
  await vault.put(keys.records.work(name), Buffer.from('{}'));
  await vault.put(keys.records.record(name), Buffer.from(`{"backup":"${name}"}`));
}

beforeAll(async () => {
  const own = await makeOwnVault(CLUSTER, 'a master secret');
  vault = own.primary;
  holdfast = holdfastWith(own.config);
  writeFiles();
  restic('init');
  restic('backup', folder, '--tag', 'first');
  await recoveryPoint('nightly-1');
  await recoveryPoint('nightly-2');
});

/** Deletes and overwrites everything that matters, and adds what looks as if it belonged. */
async function attack(): Promise<void> {
  await vault.remove((await below(`${repository}/snapshots/`)).map((o) => o.key));
  await vault.remove((await below(`${repository}/keys/`)).map((o) => o.key));
  await vault.remove([
    `${repository}/config`,
    keys.records.record('nightly-1'),
    keys.velero.archive('nightly-1'),
  ]);
  for (const { key, bytes } of await below(`${repository}/data/`)) await vault.put(key, randomBytes(bytes));
  for (const { key } of await below(`${repository}/index/`)) {
    await vault.put(key, randomBytes(10));
    await vault.remove([key]);
    await vault.put(key, randomBytes(11));
  }
  await vault.put(keys.velero.archive('nightly-2'), randomBytes(10_000), { metadata: { of: 'nightly-2' } });
  await vault.put(`${repository}/snapshots/${'0'.repeat(64)}`, randomBytes(300));
  await recoveryPoint('nightly-3');
}

describe('a vault that was attacked', () => {
  let [before, to] = [{} as Record<string, string>, ''];
  let attacked: ObjectVersion[] = [];
  const rewind = (...flags: string[]) => holdfast('vault', 'rewind', '--to', to, ...flags);
  beforeAll(async () => {
    before = await view();
    await nextSecond();
    to = new Date().toISOString();
    await nextSecond();
    await attack();
    attacked = await allVersions();
  });

  it('is gone for restic', () => {
    expect(() => restic('snapshots')).toThrow();
  });

  it('is shown as it was, and nothing changes', async () => {
    const shown = rewind('--list');
    expect(shown).toContain('recovery points to restore (1): nightly-1\n');
    expect(shown).toContain('recovery points to hide (1): nightly-3\n');
    expect(shown).toContain('recovery points to repair (1): nightly-2\n');
    expect(shown).toContain('repositories that change (1): shop\n');
    expect(shown).toContain(`restore     ${repository}/config  (deleted `);
    expect(shown).toContain(`hide        ${repository}/snapshots/${'0'.repeat(64)}  (created `);
    expect(shown).toContain(`--from primary --to ${to} --confirm`);
    expect(await allVersions()).toEqual(attacked);
  });

  it('is as it was, object by object, after it is confirmed', async () => {
    expect(rewind('--confirm')).toContain(`is as it was at ${to}`);
    expect(await view()).toEqual(before);
    expect(await vault.metadata(keys.velero.archive('nightly-2'))).toEqual({ of: 'nightly-2' });
  });

  it('has lost no version: all that the attacker saw and made is still there', async () => {
    const ids = new Set((await allVersions()).map((v) => v.id));
    expect(attacked.filter((v) => !ids.has(v.id))).toEqual([]);
  });

  it('is whole for restic, and gives every file back byte for byte', () => {
    expect(restic('check', '--read-data')).toContain('no errors were found');
    const target = mkdtempSync(join(tmpdir(), 'rewind-restored-'));
    restic('restore', `latest:${folder}`, '--target', target, '--verify');
    for (const [name, bytes] of files)
      expect(readFileSync(join(target, name)).equals(bytes), name).toBe(true);
    rmSync(target, { recursive: true });
  });

  it('needs no second time', async () => {
    const calm = await allVersions();
    expect(rewind('--confirm')).toContain('there is nothing to do');
    expect((await allVersions()).filter((v) => !v.key.includes('/locks/'))).toHaveLength(
      calm.filter((v) => !v.key.includes('/locks/')).length,
    );
  });
});

it('warns of an execution that runs', async () => {
  const endpoint = process.env.AWS_ENDPOINT_URL ?? '';
  const waiting = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 120, End: true } } };
  const arn = await run(endpoint, await createMachine(endpoint, machineName(CLUSTER, 'prune'), waiting));
  const name = arn.slice(arn.lastIndexOf(':') + 1);
  expect(holdfast('vault', 'rewind', '--to', '1s ago')).toContain(`WARNING: prune ${name} is running`);
});

describe('a time from before the days that old versions stay', () => {
  const lifecycle = (days: number) =>
    s3Client(REGION).send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: vault.bucket,
        LifecycleConfiguration: {
          Rules: [
            {
              ID: 'parts',
              Status: 'Enabled',
              Filter: { Prefix: 'exports/' },
              NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            },
            {
              ID: 'old',
              Status: 'Enabled',
              Filter: { Prefix: '' },
              NoncurrentVersionExpiration: { NoncurrentDays: days },
            },
          ],
        },
      }),
    );

  it('is shown with a warning, and not rewound to unless that is allowed', async () => {
    await lifecycle(30);
    const before = await allVersions();
    const to = ['vault', 'rewind', '--to', '31d ago'];
    expect(holdfast(...to)).toContain(
      'WARNING: this view cannot be complete: the bucket removes earlier versions after 30 days',
    );
    expect(() => holdfast(...to, '--confirm')).toThrow('add --allow-incomplete');
    expect(await allVersions()).toEqual(before);
  });

  it('or from before the first version is not taken for an empty vault', async () => {
    await lifecycle(60);
    expect(() => holdfast('vault', 'rewind', '--to', '31d ago', '--confirm')).toThrow(
      'no version of this cluster that is so old',
    );
  });
});

describe('the command line', () => {
  it.each([
    ['--to', 'yesterday', '"yesterday" is not a point in time'],
    ['--to', '2099-01-01T00:00:00Z', 'is in the future'],
  ])('refuses %s %s in words', (...[flag, value, words]) => {
    expect(() => holdfast('vault', 'rewind', flag as string, value as string)).toThrow(words);
  });
});

describe('versions', () => {
  it('of a key are together and in order, however many pages they fill', async () => {
    const key = (n: number) => `many/${String(n).padStart(4, '0')}`;
    const numbers = [...Array(300).keys()];
    await pMap(numbers, (n) => vault.put(key(n), Buffer.from('1')), { concurrency: 8 });
    for (let i = 0; i < 1010; i++) await vault.put(key(150), Buffer.from(String(i)));
    await vault.remove(numbers.map(key));
    const found: [string, number, boolean][] = [];
    for await (const of of versions().versions('many/')) {
      const [newest, ...older] = of;
      found.push([newest.key, of.length, newest.deleted && older.every((v) => !v.deleted)]);
    }
    expect(found.toSorted()).toEqual(numbers.map((n) => [key(n), n === 150 ? 1012 : 2, true]));
  });

  it.each([12 * MIB + 1, MIB])('of %i bytes come back whole, with their metadata', async (size) => {
    const key = `parts/${size} ü+&?`;
    const bytes = randomBytes(size);
    await vault.put(key, bytes, { metadata: { of: 'a test' } });
    await vault.put(key, randomBytes(size));
    const of = await versions().versions(key).next();
    const [, was] = of.value as [ObjectVersion, ObjectVersion];
    await versions(5 * MIB).bringBack(was);
    expect((await vault.get(key)).equals(bytes)).toBe(true);
    expect(await vault.metadata(key)).toEqual({ of: 'a test' });
    const [newest] = (await versions().versions(key).next()).value as [ObjectVersion];
    expect(await versions().withOrigin(newest)).toMatchObject({ copyOf: was.id });
  });
});
