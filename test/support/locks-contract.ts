import { beforeAll, describe, expect, it } from 'vitest';
import type { LockedBucket, StoredVersion } from '../../functions/ports/locked-bucket.ts';

const DAY_MS = 24 * 3600 * 1000;

/** A bucket with locks, and what a test does to it beside the port. */
export interface LocksUnderTest {
  readonly locks: LockedBucket;
  /** The same bucket, whose pages have so many versions. */
  paged(pageSize: number): LockedBucket;
  put(key: string): Promise<void>;
  /** Puts a delete marker on a key. */
  remove(key: string): Promise<void>;
  /** Another bucket with one object and without locks, and the version of that. */
  withoutLocks(): Promise<{ locks: LockedBucket; version: StoredVersion }>;
}

/** What every implementation of `LockedBucket` does. `open` gives one without versions. */
export function locksContract(name: string, open: () => Promise<LocksUnderTest>): void {
  describe(`${name} as a bucket with locks`, () => {
    let bucket: LocksUnderTest;
    beforeAll(async () => {
      bucket = await open();
    });
    locking(() => bucket);
    listing(() => bucket);
  });
}

const inDays = (days: number) => ({
  mode: 'GOVERNANCE' as const,
  until: new Date(Math.ceil(Date.now() / 1000) * 1000 + days * DAY_MS),
});

async function only({ locks }: LocksUnderTest, prefix: string): Promise<StoredVersion> {
  const { versions } = await locks.versions(prefix, undefined);
  expect(versions).toHaveLength(1);
  return versions[0] as StoredVersion;
}

function locking(bucket: () => LocksUnderTest): void {
  it('lengthens a lock, and does not shorten it', async () => {
    await bucket().put('lengthen');
    const { locks } = bucket();
    const version = await only(bucket(), 'lengthen');
    expect(await locks.retention(version)).toBeUndefined();
    const [short, long] = [inDays(3), inDays(9)];
    await locks.extend(version, short);
    await locks.extend(version, long);
    await expect(locks.extend(version, short)).rejects.toMatchObject({ name: 'VaultUnavailable' });
    expect(await locks.retention(version)).toEqual(long);
  });

  it('says of a version that is missing that it is not to be had', async () => {
    const none = { key: 'none', version: '00000000-0000-0000-0000-000000000000', deleted: false };
    const { locks } = bucket();
    await expect(locks.retention(none)).rejects.toMatchObject({ name: 'VaultUnavailable' });
    await expect(locks.extend(none, inDays(1))).rejects.toMatchObject({ name: 'VaultUnavailable' });
  });

  it('says of a bucket without locks that it has none', async () => {
    const { locks, version } = await bucket().withoutLocks();
    await expect(locks.extend(version, inDays(1))).rejects.toMatchObject({ name: 'VaultNotLocked' });
  });
}

function listing(bucket: () => LocksUnderTest): void {
  it('shows what is deleted as deleted, and what is not as not', async () => {
    for (const key of ['marked/again', 'marked/gone', 'marked/here']) await bucket().put(key);
    for (const key of ['marked/again', 'marked/gone']) await bucket().remove(key);
    await bucket().put('marked/again');
    const { versions } = await bucket().locks.versions('marked/', undefined);
    expect(versions.map(({ key, deleted }) => [key, deleted])).toEqual([
      ['marked/again', false],
      ['marked/again', false],
      ['marked/gone', true],
      ['marked/here', false],
    ]);
  });

  it('lists versions page by page, within a key too, each once, the newest of a key first', async () => {
    await bucket().put('pages/a');
    const newest: string[] = [];
    for (let i = 0; i < 25; i++) {
      await bucket().put('pages/b');
      newest.unshift((await bucket().locks.versions('pages/b', undefined)).versions[0]?.version as string);
    }
    await bucket().put('pages/c');
    const paged = bucket().paged(10);
    const seen: StoredVersion[] = [];
    let page = await paged.versions('pages/', undefined);
    const sizes = [page.versions.length];
    for (; page.next; sizes.push(page.versions.length)) {
      seen.push(...page.versions);
      page = await paged.versions('pages/', page.next);
    }
    seen.push(...page.versions);
    expect(sizes).toEqual([10, 10, 7]);
    expect(seen.map(({ key }) => key)).toEqual(['pages/a', ...newest.map(() => 'pages/b'), 'pages/c']);
    expect(seen.slice(1, -1).map(({ version }) => version)).toEqual(newest);
  });
}
