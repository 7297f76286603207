import { readFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseKeyFile } from '../../../functions/core/restic/key-file.ts';
import { openRepository } from '../../../functions/runtime/repositories.ts';
import { MemoryVault } from '../../support/memory-vault.ts';
import { resticId } from '../../support/restic-id.ts';
import { ResticWriter, SNAPSHOT } from '../../support/restic-writer.ts';

const REPOSITORY = 'restic/paris/shop';
const PASSWORD = 'the-password';

/** Repositories that restic 0.19.1 wrote: keys, config and snapshots, in base64. */
const WRITTEN: Record<string, Record<string, string>> = JSON.parse(
  readFileSync(new URL('../../support/restic-repositories.json', import.meta.url), 'utf8'),
);

let vault: MemoryVault;
let writer: ResticWriter;
const open = (password = PASSWORD) => openRepository(vault, REPOSITORY, password);
const put = (path: string, body: Buffer) =>
  vault.objects.set(`${REPOSITORY}/${path}`, { body, metadata: {} });

beforeEach(() => {
  vault = new MemoryVault('primary');
});

describe('a repository that restic wrote', () => {
  it.each([
    ['format1', PASSWORD],
    ['format2', PASSWORD],
    ['rotated', 'new-password'],
  ])('%s: says what its snapshot says of itself', async (name, password) => {
    for (const [path, body] of Object.entries(WRITTEN[name] ?? {})) put(path, Buffer.from(body, 'base64'));
    const id = [...vault.objects.keys()].find((k) => k.includes('/snapshots/'))?.slice(-64) as string;
    const facts = await (await open(password)).snapshot(id);
    expect(facts).toMatchObject({
      id,
      hostname: 'paris',
      paths: ['/tmp/hf/x/data/shop/pgdata'],
      tags: ['backup=daily-20260131020000', 'plan=daily', 'pvc=pgdata'],
      files: 2,
      bytes: 9,
    });
    expect(facts?.time.toISOString()).toMatch(/^2026-11-25T17:36:/);
  });

  it('is not opened by the password before the rotation', async () => {
    for (const [path, body] of Object.entries(WRITTEN.rotated ?? {})) put(path, Buffer.from(body, 'base64'));
    await expect(open()).rejects.toThrow(
      `${REPOSITORY}/keys/ in bucket primary has no key that the password of this repository opens`,
    );
  });
});

describe('a repository', () => {
  beforeEach(() => {
    writer = ResticWriter.create(vault, REPOSITORY, PASSWORD);
  });

  it('is opened by the key of the password among those of others', async () => {
    for (let i = 0; i < 10; i++) writer.addKey(`other-${i}`);
    const id = writer.snapshot();
    expect(await (await open()).snapshot(id)).toMatchObject({ hostname: 'paris', files: 3, bytes: 40 });
  });

  it('does not have a snapshot that is not there', async () => {
    expect(await (await open()).snapshot(resticId('none'))).toBeUndefined();
  });

  it('refuses an id that is none before it asks for it', async () => {
    const repository = await open();
    const before = vault.calls;
    await expect(repository.snapshot('../../other')).rejects.toThrow(RangeError);
    expect(vault.calls).toBe(before);
  });

  it('reads a snapshot of a restic that wrote no summary, without files and bytes', async () => {
    const facts = await (await open()).snapshot(writer.snapshot({ summary: undefined }));
    expect([facts?.files, facts?.bytes, facts?.paths]).toEqual([undefined, undefined, ['/data/shop/data']]);
  });

  it('reads a list that Go wrote as null as an empty one', async () => {
    const facts = await (await open()).snapshot(writer.snapshot({ tags: null, paths: null }));
    expect(facts).toMatchObject({ tags: [], paths: [] });
  });

  it('reads JSON that is not compressed', async () => {
    const id = writer.document(Buffer.from(JSON.stringify(SNAPSHOT)));
    expect(await (await open()).snapshot(id)).toMatchObject({ hostname: 'paris' });
  });

  const damaged = { name: 'RecoveryPointDamaged' };

  it.each<[string, () => string]>([
    ['cut off', () => cut(writer.snapshot(), (b) => b.subarray(0, -1))],
    ['with a flipped bit', () => cut(writer.snapshot(), (b) => flipped(b, 40))],
    [
      'under the name of another',
      () => cut(writer.snapshot(), () => Buffer.from(bodyOf(writer.snapshot({ hostname: 'rome' })))),
    ],
    ['empty', () => cut(writer.snapshot(), () => Buffer.alloc(0))],
  ])('refuses a snapshot that is %s', async (_, make) => {
    const id = make();
    const repository = await open();
    await expect(repository.snapshot(id)).rejects.toMatchObject({
      ...damaged,
      message: `${REPOSITORY}/snapshots/${id} in bucket primary does not have the bytes of its name`,
    });
  });

  it.each<[string, () => string]>([
    ['written with another key', () => writer.named('snapshots', Buffer.alloc(600, 7))],
    ['shorter than an encryption', () => writer.named('snapshots', Buffer.alloc(31))],
    [
      'of another repository',
      () => writer.named('snapshots', bodyOf(other().snapshot(), 'restic/paris/other')),
    ],
    ['no JSON', () => writer.document(Buffer.from('[no'))],
    ['no object', () => writer.document(Buffer.from('[]'))],
    ['compressed by a way that is not known', () => writer.document(Buffer.of(3, 1, 2))],
    ['no compression at all', () => writer.document(Buffer.of(2, 1, 2, 3))],
    [
      'a bomb',
      () => {
        const text = Buffer.concat([Buffer.from(JSON.stringify(SNAPSHOT)), Buffer.alloc(2 ** 24, 32)]);
        return writer.document(Buffer.concat([Buffer.of(2), zstdCompressSync(text)]));
      },
    ],
    ['without a tree', () => writer.snapshot({ tree: undefined })],
    ['of paths that are no list', () => writer.snapshot({ paths: { length: 1 } })],
    ['of tags that are no text', () => writer.snapshot({ tags: [['backup=daily-1']] })],
    [
      'of bytes beyond 2^53',
      () => writer.snapshot({ summary: { total_files_processed: 1, total_bytes_processed: 2 ** 53 } }),
    ],
    [
      'of less than no files',
      () => writer.snapshot({ summary: { total_files_processed: -1, total_bytes_processed: 1 } }),
    ],
    ['of no time', () => writer.snapshot({ time: 'yesterday' })],
  ])('refuses what is %s', async (_, make) => {
    const id = make();
    const repository = await open();
    await expect(repository.snapshot(id)).rejects.toMatchObject({
      ...damaged,
      message: `${REPOSITORY}/snapshots/${id} in bucket primary is no snapshot of this repository`,
    });
  });

  it('refuses a snapshot that somebody without the key has altered bit by bit', async () => {
    const id = writer.document(Buffer.from(JSON.stringify(SNAPSHOT)));
    const at = 16 + JSON.stringify(SNAPSHOT).indexOf('paris'); // after the initialisation vector
    const altered = writer.named('snapshots', flipped(bodyOf(id), at));
    const repository = await open();
    expect(await repository.snapshot(id)).toMatchObject({ hostname: 'paris' });
    await expect(repository.snapshot(altered)).rejects.toMatchObject(damaged);
  });

  it('reads a huge object no further than its limit', async () => {
    const id = writer.named('snapshots', Buffer.alloc(2 ** 20 + 1));
    await expect((await open()).snapshot(id)).rejects.toThrow('has more than 1048576 bytes');
  });

  it('leaves an outage to be tried again', async () => {
    const id = writer.snapshot();
    const repository = await open();
    vault.breaking.add(`${REPOSITORY}/snapshots/${id}`);
    await expect(repository.snapshot(id)).rejects.toMatchObject({ name: 'VaultUnavailable' });
  });

  it('is not opened while a key cannot be read', async () => {
    for (const key of vault.objects.keys()) if (key.includes('/keys/')) vault.breaking.add(key);
    await expect(open()).rejects.toMatchObject({ name: 'VaultUnavailable' });
  });

  it('is none without a config', async () => {
    vault.objects.delete(`${REPOSITORY}/config`);
    await expect(open()).rejects.toThrow(`${REPOSITORY}/config in bucket primary does not exist`);
  });

  it.each([
    ['of a format that is not known', { version: 3, id: resticId('x') }],
    ['without an id', { version: 2 }],
    ['that is no object', 'config'],
  ])('is none with a config %s', async (_, config) => {
    writer.putConfig(config);
    await expect(open()).rejects.toThrow('is not that of a repository with this key');
  });
});

describe('the key files of a repository', () => {
  beforeEach(() => {
    writer = new ResticWriter(vault, REPOSITORY);
    writer.putConfig({ version: 2, id: resticId('x') });
  });

  it.each<[string, Record<string, unknown>]>([
    ['more memory than restic', { N: 2 ** 21, r: 8 }],
    ['more time than restic', { N: 2 ** 15, r: 8, p: 33 }],
    ['more memory by its last parameter', { p: 2 ** 22 }],
    ['a number that is none', { N: '2' }],
    ['a number beyond 2^53', { r: 2 ** 60 }],
    ['less than nothing', { p: -1 }],
    ['no power of two', { N: 3 }],
    ['another derivation', { kdf: 'argon2' }],
    ['a short salt', { salt: 'AAAA' }],
    ['data that is no base64', { data: '%' }],
    ['data that is too short', { data: 'AAAA' }],
  ])('are passed over when one asks for %s', async (_, over) => {
    writer.addKey(PASSWORD, over);
    await expect(open()).rejects.toThrow('has no key that the password of this repository opens');
    writer.addKey(PASSWORD);
    await expect(open()).resolves.toBeDefined();
  });

  it.each([
    { N: 2 ** 15, r: 8, p: 33 },
    { N: 2 ** 20, r: 8, p: 1 },
    { N: 2, r: 1, p: 2 ** 20 },
    { N: 2 ** 52, r: 2 ** 52, p: 2 ** 52 },
    { N: 48 },
  ])('are not tried when they ask for %j', (over) => {
    expect(parseKeyFile(bodyOf(writer.addKey(PASSWORD, over), REPOSITORY, 'keys'))).toBeUndefined();
  });

  it.each([
    { N: 2 ** 15, r: 8, p: 7 },
    { N: 2 ** 16, r: 8, p: 1 },
    { N: 2 ** 15, r: 8, p: 32 },
  ])('are tried when they ask for no more than restic may: %j', ({ N, r, p }) => {
    const file = parseKeyFile(bodyOf(writer.addKey(PASSWORD, { N, r, p }), REPOSITORY, 'keys'));
    expect(file?.cost).toBe(N * r * p);
  });

  it('are passed over when they are not under the name of their bytes, or huge', async () => {
    put(`keys/${'0'.repeat(64)}`, bodyOf(writer.addKey(PASSWORD), REPOSITORY, 'keys'));
    for (const key of vault.objects.keys()) if (/keys\/(?!0000)/.test(key)) vault.objects.delete(key);
    writer.named('keys', Buffer.alloc(2 ** 20 + 1));
    await expect(open()).rejects.toThrow('has no key that');
  });

  it('are tried as often as restic tries, so that a flood of them costs no more', async () => {
    for (let i = 0; i < 40; i++) writer.addKey(`other-${i}`);
    await expect(open()).rejects.toThrow('has no key that');
    const { calls } = vault;
    expect(calls).toBeLessThan(30);
  });
});

const other = () => ResticWriter.create(vault, 'restic/paris/other', PASSWORD);

const bodyOf = (id: string, repository = REPOSITORY, folder = 'snapshots'): Buffer =>
  (vault.objects.get(`${repository}/${folder}/${id}`) as { body: Buffer }).body;

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

/** Changes the stored bytes of a snapshot. Returns its id. */
function cut(id: string, change: (body: Buffer) => Buffer): string {
  put(`snapshots/${id}`, change(bodyOf(id)));
  return id;
}
