import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import pMap from 'p-map';
import { beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../functions/contract/holdfast-error.ts';
import type { Vault } from '../../functions/ports/vault.ts';

const MIB = 1024 * 1024;
const MISSING = { name: 'VaultObjectMissing' };
const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');
const text = (value: string) => Buffer.from(value);

async function keysOf(vault: Vault, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of vault.list(prefix, after)) keys.push(key);
  return keys;
}

async function* failing(error: Error): AsyncGenerator<Buffer> {
  yield text('some bytes');
  throw error;
}

/** What every implementation of `Vault` does. `open` gives an empty one. */
export function vaultContract(name: string, open: () => Promise<Vault>): void {
  describe(`${name} as a vault`, () => {
    let vault: Vault;
    beforeAll(async () => {
      vault = await open();
    });
    reading(() => vault);
    writing(() => vault);
    conditions(() => vault);
    listing(() => vault);
  });
}

function reading(vault: () => Vault): void {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a little', text('little')],
    ['more than a chunk', randomBytes(3 * MIB + 1)],
  ])('gives back %s by every verb that reads', async (what, body) => {
    const key = `read/${what}`;
    const metadata = { of: 'a test' };
    await vault().put(key, body, { metadata });
    expect((await vault().get(key)).equals(body)).toBe(true);
    expect((await vault().find(key))?.body.equals(body)).toBe(true);
    expect((await buffer(await vault().stream(key))).equals(body)).toBe(true);
    expect(await vault().digest(key)).toEqual({ sha256: sha256(body), bytes: body.length });
    expect(await vault().exists(key)).toBe(true);
    expect(await vault().metadata(key)).toEqual(metadata);
    expect(await vault().about(key)).toMatchObject({ metadata, byReplication: false, underWay: false });
    expect([sha256(body), undefined]).toContain((await vault().about(key)).sha256);
  });

  it('says of a missing object that it is missing, and not that something went wrong', async () => {
    const key = 'read/none';
    for (const read of ['get', 'stream', 'metadata', 'about'] as const)
      await expect(vault()[read](key), read).rejects.toMatchObject(MISSING);
    expect([await vault().find(key), await vault().digest(key)]).toEqual([undefined, undefined]);
    expect(await vault().exists(key)).toBe(false);
  });

  it('reads the version that was there when the reading began', async () => {
    const [before, after] = [randomBytes(2 * MIB), randomBytes(2 * MIB)];
    await vault().put('read/replaced', before);
    const body = await vault().stream('read/replaced');
    await vault().put('read/replaced', after);
    expect((await buffer(body)).equals(before)).toBe(true);
    expect((await vault().get('read/replaced')).equals(after)).toBe(true);
  });

  it('shares no memory with its callers', async () => {
    const mine = text('mine');
    await vault().put('read/mine', mine);
    mine.fill(0);
    (await vault().get('read/mine')).fill(0);
    expect(String(await vault().get('read/mine'))).toBe('mine');
  });
}

function writing(vault: () => Vault): void {
  it('refuses an object whose bytes are not what was promised, and keeps the one before', async () => {
    await vault().put('write/sum', text('before'));
    const put = vault().put('write/sum', text('bytes'), { sha256: sha256(text('other')) });
    await expect(put).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(String(await vault().get('write/sum'))).toBe('before');
    await vault().put('write/sum', text('bytes'), { sha256: sha256(text('bytes')) });
    expect(String(await vault().get('write/sum'))).toBe('bytes');
  });

  it.each([
    ['of one part', 100],
    ['of several parts', 12 * MIB],
  ])('takes a stream %s, when its digest is right', async (what, bytes) => {
    const key = `write/${what}`;
    const body = randomBytes(bytes);
    const seen: string[] = [];
    const check = (sum: string) => void seen.push(sum);
    const metadata = { of: 'a test' };
    const etag = await vault().upload(key, Readable.from([body]), { bytes, metadata, check });
    expect(seen).toEqual([sha256(body)]);
    expect((await vault().find(key))?.body.equals(body)).toBe(true);
    expect((await vault().find(key))?.etag).toBe(etag);
    expect(await vault().metadata(key)).toEqual(metadata);
    const listed = await vault().list(key).next();
    expect(listed.value).toMatchObject({ key, bytes, etag });
  });

  it.each([
    [
      'with an error of the caller’s',
      new HoldfastError('RecoveryPointDamaged', 'mine'),
      'RecoveryPointDamaged',
    ],
    ['with another error', new TypeError('mine'), 'VaultUnavailable'],
  ])('writes nothing of a stream that fails %s, or that is refused by it', async (_, error, expected) => {
    await vault().put('write/failing', text('before'));
    const failed = vault().upload('write/failing', Readable.from(failing(error)));
    await expect(failed).rejects.toMatchObject({ name: expected });
    const check = () => {
      throw error;
    };
    const refused = vault().upload('write/failing', Readable.from([randomBytes(6 * MIB)]), { check });
    await expect(refused).rejects.toMatchObject({ name: expected });
    expect(String(await vault().get('write/failing'))).toBe('before');
  });

  it('removes what is there, and takes what is missing for removed', async () => {
    for (const key of ['remove/a', 'remove/b', 'remove/c']) await vault().put(key, text(key));
    await vault().remove(['remove/a', 'remove/none', 'remove/c']);
    await vault().remove([]);
    expect(await keysOf(vault(), 'remove/')).toEqual(['remove/b']);
  });
}

function conditions(vault: () => Vault): void {
  const tenTimes = (key: string, etag: string | undefined) =>
    Promise.all(Array.from({ length: 10 }, (_, i) => vault().putIf(key, text(String(i)), etag)));

  it('lets one of ten create an object', async () => {
    const won = (await tenTimes('race/new', undefined)).flatMap((ok, i) => (ok ? [i] : []));
    expect(won).toHaveLength(1);
    expect(String(await vault().get('race/new'))).toBe(String(won[0]));
  });

  it('lets one of ten replace an object that all have seen', async () => {
    await vault().putIf('race/old', text('old'), undefined);
    const { etag } = (await vault().find('race/old')) as { etag: string };
    expect((await tenTimes('race/old', etag)).filter(Boolean)).toHaveLength(1);
    expect(await vault().putIf('race/old', text('late'), etag)).toBe(false);
  });

  it('replaces nothing that is not there, and creates nothing that is', async () => {
    const etag = '"00000000000000000000000000000000"';
    expect(await vault().putIf('race/none', text('x'), etag)).toBe(false);
    expect(await vault().exists('race/none')).toBe(false);
    await vault().put('race/there', text('first'));
    expect(await vault().putIf('race/there', text('second'), undefined)).toBe(false);
    expect(String(await vault().get('race/there'))).toBe('first');
  });
}

function listing(vault: () => Vault): void {
  it('lists in the order of bytes, whichever key it begins after', async () => {
    // No key is also a folder: the file system below MinIO cannot have that.
    const keys = ['!', 'Z', 'a', 'a!/x', 'aa', 'ab/x', 'é', '\uff5e', '😀'].map((k) => `order/${k}`);
    for (const key of [...keys].reverse()) await vault().put(key, text(key));
    expect(await keysOf(vault(), 'order/')).toEqual(keys);
    expect(await keysOf(vault(), 'order/', 'order/a')).toEqual(keys.slice(3));
    expect(await keysOf(vault(), 'order/', 'order/b')).toEqual(keys.slice(6));
    expect(await keysOf(vault(), 'order/a')).toEqual(keys.slice(2, 6));
    expect(await keysOf(vault(), 'order/none')).toEqual([]);
  });

  it('says of folders only their names, in the order of keys', async () => {
    for (const key of ['a/x', 'a/y/z', 'a-b/x', 'b', 'c/x']) await vault().put(`folders/${key}`, text('x'));
    expect(await vault().folders('folders/')).toEqual(['a-b', 'a', 'c']);
    expect(await vault().folders('folders/a/')).toEqual(['y']);
    expect(await vault().folders('folders/none/')).toEqual([]);
  });

  it('goes beyond a page of a thousand, in listings, folders and removals', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `pages/${String(i).padStart(4, '0')}/x`);
    await pMap(keys, (key) => vault().put(key, text('x')), { concurrency: 16 });
    expect(await keysOf(vault(), 'pages/')).toEqual(keys);
    expect(await vault().folders('pages/')).toHaveLength(1001);
    await vault().remove(keys);
    expect(await keysOf(vault(), 'pages/')).toEqual([]);
  });

  it('outlives what is removed while it lists', async () => {
    const keys = ['a', 'b', 'c'].map((k) => `meanwhile/${k}`);
    for (const key of keys) await vault().put(key, text('x'));
    const seen: string[] = [];
    for await (const { key } of vault().list('meanwhile/')) {
      seen.push(key);
      await vault().remove(keys);
    }
    expect(keys.slice(0, seen.length)).toEqual(seen);
  });

  it('says of an object when it came, of which size, and as which version', async () => {
    await vault().put('facts/x', text('12345'));
    const { etag } = (await vault().find('facts/x')) as { etag: string };
    const listed = await vault().list('facts/').next();
    expect(listed.value).toEqual({ key: 'facts/x', bytes: 5, etag, modified: expect.any(Date) });
    expect(Math.abs(listed.value.modified.getTime() - Date.now())).toBeLessThan(60_000);
  });
}
