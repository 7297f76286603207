import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BackupRecord } from '../../../functions/core/backup/record.ts';
import { contentHash, isReplicated } from '../../../functions/core/vault/replication.ts';
import { replicate } from '../../../functions/replicate/replicate-backup/replicate.ts';
import { Killed, MemoryVault } from '../../support/memory-vault.ts';
import { archive, BACKUP, inRepository, keys, repository, sha256 } from '../../support/repository-objects.ts';

const PACKS = ['a', 'b', 'c', 'd', 'e'].map((name) => inRepository('data', `pack ${name}`)).sort();
const [pack] = PACKS[2] as [string, string];
const CONTENT: [string, string][] = [
  [`${repository}/config`, 'config'],
  inRepository('keys', 'key'),
  ...PACKS,
  inRepository('index', 'index'),
  inRepository('snapshots', 'snapshot'),
  [archive, 'archive'],
  [keys.velero.backup(BACKUP), 'a Backup'],
  [keys.records.work(BACKUP), 'work'],
  [keys.records.record(BACKUP), 'record'],
];
const record = {
  backup: BACKUP,
  volumes: [{ id: 'shop.data', namespace: 'shop', result: 'protected', snapshot: 's' }],
  objects: [{ key: archive, bytes: 7, sha256: sha256('archive') }],
} as unknown as BackupRecord;
const SOURCE_ETAG = 'holdfast-source-etag';
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** A replica that says which objects were looked at beyond its listings. */
class Watched extends MemoryVault {
  looked: string[] = [];
  override about(key: string) {
    this.looked.push(key);
    return super.about(key);
  }
  override stream(key: string) {
    if (!key.startsWith('inventories/')) this.looked.push(key);
    return super.stream(key);
  }
}

let primary: MemoryVault;
let replica: Watched;
const run = (timeLeft = () => true) => replicate({ primary, replica, keys, timeLeft }, record);

/** As if S3's replication had brought it: with its origin's metadata, and with S3's sha256 where its origin had one. */
function brought(key: string, text: string, { sha256: sum, from }: { sha256?: string; from?: string } = {}) {
  const metadata: Record<string, string> = from === undefined ? {} : { [SOURCE_ETAG]: md5(from) };
  replica.objects.set(key, {
    body: Buffer.from(text),
    metadata,
    byReplication: true,
    ...(sum && { sha256: sum }),
  });
}
const bringAll = (sums: boolean) => {
  for (const [key, text] of CONTENT) brought(key, text, sums ? { sha256: sha256(text) } : {});
};
const textOf = (key: string) => replica.objects.get(key)?.body.toString();
const isWhole = () => CONTENT.every(([key, text]) => textOf(key) === text);
const looksAtPacks = () => replica.looked.filter((key) => key.includes('/data/'));

beforeEach(() => {
  [primary, replica] = [new MemoryVault('primary'), new Watched('replica')];
  for (const [key, text] of CONTENT) primary.objects.set(key, { body: Buffer.from(text), metadata: {} });
});

describe('what S3’s replication brought', () => {
  it('is proven by S3’s sha256 without a byte being read', async () => {
    bringAll(true);
    expect(await run()).toMatchObject({ remaining: 0, objects: CONTENT.length, copied: 0, read: 0 });
  });

  it('is read once where S3 has no sha256, and packs never again', async () => {
    bringAll(false);
    expect(await run()).toMatchObject({ remaining: 0, copied: 0, read: CONTENT.length });
    replica.looked = [];
    expect(await run()).toMatchObject({ remaining: 0, copied: 0 });
    expect(replica.looked.filter((key) => contentHash(key))).toEqual([]);
  });

  it.each<[string, string, Parameters<typeof brought>[2]]>([
    ['of another size', 'short', {}],
    ['with other bytes', 'PACK ?', {}],
    ['with other bytes, whose sha256 S3 has', 'PACK ?', { sha256: sha256('PACK ?') }],
  ])('is replaced when it is %s', async (_, text, facts) => {
    bringAll(false);
    brought(pack, text, facts);
    expect(await run()).toMatchObject({ remaining: 0, copied: 1 });
    expect(isWhole()).toBe(true);
  });

  it('is not believed for what its metadata say: those are its origin’s', async () => {
    bringAll(false);
    for (const [key, text] of CONTENT) brought(key, text.toUpperCase(), { from: text });
    expect(await run()).toMatchObject({ remaining: 0, copied: CONTENT.length });
    expect(isWhole()).toBe(true);
  });

  it('over a proven copy is another version, of which nothing is known', async () => {
    await run();
    brought(pack, 'PACK ?');
    expect(await run()).toMatchObject({ copied: 1 });
    expect(isWhole()).toBe(true);
  });

  it('is compared with the primary where nothing promises its bytes', async () => {
    bringAll(false);
    brought(keys.records.work(BACKUP), 'WORK');
    expect(await run()).toMatchObject({ copied: 1 });
    expect(textOf(keys.records.work(BACKUP))).toBe('work');
  });
});

describe('what S3’s replication is still to bring', () => {
  const awaiting = () => replicate({ primary, replica, keys, timeLeft: () => true, awaitsS3: true }, record);
  beforeEach(() => {
    for (const [key, text] of CONTENT)
      primary.objects.set(key, { body: Buffer.from(text), metadata: {}, underWay: key === pack });
  });

  it('is left to it, and what refers to it as well', async () => {
    expect(await awaiting()).toMatchObject({ remaining: 1, awaited: 1 });
    expect(replica.objects.has(pack)).toBe(false);
    expect([...replica.objects.keys()].filter((key) => /index\/|snapshots\/|record/.test(key))).toEqual([]);
    brought(pack, 'pack of S3, wrong');
    expect(await awaiting()).toMatchObject({ remaining: 0, awaited: 0 });
    expect(isWhole()).toBe(true);
  });

  it('is copied once the wait for S3 is over', async () => {
    await awaiting();
    expect(await run()).toMatchObject({ remaining: 0, awaited: 0 });
    expect(isWhole()).toBe(true);
  });
});

describe('the inventory of what is proven', () => {
  const inventory = keys.inventory(`${repository}/data/`) as string;
  const lines = () => gunzipSync(replica.objects.get(inventory)?.body as Buffer).toString();

  it('has a line a pack, in their order, and none of packs that are gone', async () => {
    await run();
    const [gone] = PACKS[1] as [string, string];
    for (const vault of [primary, replica]) vault.objects.delete(gone);
    await run();
    const named = lines()
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    expect(named).toEqual(PACKS.map(([key]) => key).filter((key) => key !== gone));
  });

  it('is not written again when nothing has changed', async () => {
    await run();
    const written = replica.objects.get(inventory);
    await run();
    expect(replica.objects.get(inventory)).toBe(written);
  });

  it.each<[string, (body: Buffer) => Buffer]>([
    ['cut off', (body) => body.subarray(0, body.length / 2)],
    ['not what it should be', () => Buffer.from('no archive')],
    ['with a line that is none', () => gzipSync('what\n')],
    ['out of order', (body) => gzipSync(gunzipSync(body).toString().trim().split('\n').reverse().join('\n'))],
  ])('proves nothing that it does not say: %s', async (_, damage) => {
    bringAll(false);
    await run();
    const stored = replica.objects.get(inventory);
    replica.objects.set(inventory, { body: damage(stored?.body as Buffer), metadata: {} });
    brought(pack, 'PACK ?');
    expect(await run()).toMatchObject({ remaining: 0, copied: 1 });
    expect(isWhole()).toBe(true);
    expect(lines().trim().split('\n')).toHaveLength(PACKS.length);
  });

  it('keeps what was proven before the time was over', async () => {
    bringAll(false);
    let packs = 0;
    await run(() => !(looksAtPacks().length > 0 && ++packs > 2));
    const seen = new Set(looksAtPacks());
    expect(seen.size).toBeGreaterThan(0);
    replica.looked = [];
    expect(await run()).toMatchObject({ remaining: 0, copied: 0 });
    expect(looksAtPacks().filter((key) => seen.has(key))).toEqual([]);
  });

  it('keeps what earlier runs have proven, whenever the time is over', async () => {
    const [first] = PACKS[0] as [string, string];
    for (let left = 0, whole = false; !whole; left++) {
      replica = new Watched('replica');
      bringAll(false);
      await run();
      replica.objects.delete(first);
      replica.looked = [];
      let asked = 0;
      whole = (await run(() => asked++ < left)).remaining === 0;
      expect((await run()).remaining).toBe(0);
      expect([left, looksAtPacks().filter((key) => key !== first)]).toEqual([left, []]);
    }
  });

  it('keeps what was proven before the run failed', async () => {
    bringAll(false);
    const [last] = PACKS.at(-1) as [string, string];
    primary.objects.set(last, { body: Buffer.from('rotten'), metadata: {} });
    brought(last, 'rotten');
    await expect(run()).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
    replica.looked = [];
    await expect(run()).rejects.toMatchObject({ name: 'RecoveryPointDamaged' });
    expect(new Set(looksAtPacks())).toEqual(new Set([last]));
  });
});

describe('a replication that proves what is there', () => {
  const prepare = () => {
    bringAll(false);
    brought(pack, 'PACK ?');
    brought(archive, 'ARCHIVE');
    replica.objects.delete((PACKS[0] as [string, string])[0]);
  };

  it('may be killed at any call, and the next run ends it', async () => {
    prepare();
    await run();
    const calls = replica.calls;
    for (let at = 0; at < calls; at++) {
      replica = new Watched('replica');
      prepare();
      replica.callsLeft = at;
      await expect(run()).rejects.toBeInstanceOf(Killed);
      replica.callsLeft = Number.POSITIVE_INFINITY;
      expect([at, (await run()).remaining, isWhole()]).toEqual([at, 0, true]);
      expect([...replica.objects.keys()].filter((key) => !isReplicated(key))).toEqual([]);
    }
  });

  it('is killed likewise by its primary', async () => {
    prepare();
    const used = primary.calls;
    await run();
    const calls = primary.calls - used;
    for (let at = 0; at < calls; at++) {
      replica = new Watched('replica');
      prepare();
      primary.callsLeft = at;
      await expect(run()).rejects.toBeInstanceOf(Killed);
      primary.callsLeft = Number.POSITIVE_INFINITY;
      expect([at, (await run()).remaining, isWhole()]).toEqual([at, 0, true]);
    }
  });
});
