import { beforeAll, describe, expect, it } from 'vitest';
import type { ObjectVersion } from '../../functions/core/vault/rewind.ts';
import type { OneKey, VersionedBucket } from '../../functions/ports/versioned-bucket.ts';

const UNAVAILABLE = { name: 'VaultUnavailable' };

/** A bucket that keeps versions, and what a test does to it beside the port. */
export interface VersionsUnderTest {
  readonly bucket: VersionedBucket;
  put(key: string, content: string): Promise<void>;
  /** Puts a delete marker on a key. */
  remove(key: string): Promise<void>;
  /** What a reader sees; undefined when a delete marker hides it. */
  content(key: string): Promise<string | undefined>;
}

/** What every implementation of `VersionedBucket` does. `open` gives one without versions. */
export function versionsContract(name: string, open: () => Promise<VersionsUnderTest>): void {
  describe(`${name} as a bucket of versions`, () => {
    let test: VersionsUnderTest;
    beforeAll(async () => {
      test = await open();
    });
    const listed = async (prefix: string): Promise<OneKey[]> => {
      const keys: OneKey[] = [];
      for await (const versions of test.bucket.versions(prefix)) keys.push(versions);
      return keys;
    };
    const of = async (key: string): Promise<OneKey> => (await listed(key))[0] as OneKey;

    it('says that it keeps earlier versions, and for ever where nothing removes them', async () => {
      expect(await test.bucket.kept(['list/'])).toEqual({ versioned: true });
    });

    it('lists key by key in the order of bytes, each key’s versions the newest first', async () => {
      for (const key of ['list/b', 'list/aa', 'list/a', 'list/A']) await test.put(key, key);
      await test.put('list/a', 'a longer one');
      await test.remove('list/a');
      const keys = await listed('list/');
      expect(keys.map(([{ key }]) => key)).toEqual(['list/A', 'list/a', 'list/aa', 'list/b']);
      expect(keys[1]?.map(({ deleted, bytes }) => [deleted, bytes])).toEqual([
        [true, 0],
        [false, 12],
        [false, 6],
      ]);
      expect(new Set(keys[1]?.map(({ id }) => id)).size).toBe(3);
      expect(await listed('list/none')).toEqual([]);
    });

    it('brings a version back on top of the others, and says what it is a copy of', async () => {
      const key = 'back/x y';
      await test.put(key, 'first');
      await test.put(key, 'second');
      await test.remove(key);
      const before = await of(key);
      const first = before[2] as ObjectVersion;
      await test.bucket.bringBack(first);
      expect(await test.content(key)).toBe('first');
      const [copy, ...others] = await of(key);
      expect(others).toEqual(before);
      expect(copy).toMatchObject({ key, deleted: false, bytes: 5 });
      expect(copy).not.toHaveProperty('copyOf');
      expect(await test.bucket.withOrigin(copy)).toEqual({ ...copy, copyOf: first.id });
    });

    it('says of a version that is no copy that it is what it is', async () => {
      await test.put('origin', 'x');
      const [version] = await of('origin');
      expect(await test.bucket.withOrigin(version)).toEqual(version);
    });

    it('cannot bring back a delete marker, or a version that is missing', async () => {
      await test.put('marker', 'x');
      await test.remove('marker');
      const [marker, version] = (await of('marker')) as [ObjectVersion, ObjectVersion];
      await expect(test.bucket.bringBack(marker)).rejects.toMatchObject(UNAVAILABLE);
      const none = { ...version, id: '00000000-0000-0000-0000-000000000000' };
      await expect(test.bucket.bringBack(none)).rejects.toMatchObject(UNAVAILABLE);
      await expect(test.bucket.withOrigin(none)).rejects.toMatchObject(UNAVAILABLE);
      expect(await test.content('marker')).toBeUndefined();
    });
  });
}
