import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contentHash,
  copyRank,
  type InventoryObject,
  inCopyOrder,
  isReplicated,
  pairs,
  repositoryStages,
} from '../../../../functions/core/vault/replication.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';

const keys = vaultKeys('paris');
const repository = keys.restic.repository('shop');
const HASH = '0123456789abcdef'.repeat(4);
const IN_ORDER = [
  `${repository}/config`,
  `${repository}/keys/${HASH}`,
  `${repository}/data/01/${HASH}`,
  `${repository}/index/${HASH}`,
  `${repository}/snapshots/${HASH}`,
  keys.velero.archive('daily-1'),
  keys.velero.backup('daily-1'),
  keys.records.record('daily-1'),
];
const object = (key: string, bytes = 1, etag = 'e'): InventoryObject => ({
  key,
  bytes,
  etag,
  modified: new Date(0),
});

async function* listing(keys: Iterable<string>): AsyncGenerator<InventoryObject> {
  for (const key of [...keys].sort()) yield object(key);
}
const paired = async (primary: Iterable<string>, replica: Iterable<string>) => {
  const all: [string, boolean][] = [];
  for await (const { object: o, copy } of pairs(listing(primary), listing(replica)))
    all.push([o.key, copy !== undefined]);
  return all;
};

describe('a copy', () => {
  it('is made in the order in which nothing refers to what is not there', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(IN_ORDER, { minLength: IN_ORDER.length }), (keys) => {
        const ordered = inCopyOrder(keys.map((key) => ({ object: object(key), copy: undefined })));
        expect(ordered.flat().map((p) => p.object.key)).toEqual(IN_ORDER);
      }),
    );
  });

  it('goes through the repositories kind by kind', () => {
    expect(repositoryStages(['restic/c/a', 'restic/c/b'])).toEqual([
      ['restic/c/a/config', 'restic/c/b/config'],
      ['restic/c/a/keys/', 'restic/c/b/keys/'],
      ['restic/c/a/data/', 'restic/c/b/data/'],
      ['restic/c/a/index/', 'restic/c/b/index/'],
      ['restic/c/a/snapshots/', 'restic/c/b/snapshots/'],
    ]);
  });

  it('never makes two kinds of reference in one batch', () => {
    const [archive, ...others] = [
      keys.velero.archive('b'),
      ...IN_ORDER.filter((key) => !key.includes('tar')),
    ];
    expect(new Set(others.map(copyRank)).size).toBe(others.length);
    expect(copyRank(archive as string)).toBeLessThan(copyRank(keys.velero.backup('b')));
  });

  it('puts the commit marker after everything else of the recovery point', () => {
    const others = [
      ...IN_ORDER.slice(0, -1),
      keys.records.work('daily-1'),
      keys.records.resources('daily-1'),
      keys.records.volume('daily-1', 'shop.data'),
      keys.velero.results('daily-1'),
    ];
    const last = copyRank(keys.records.record('daily-1'));
    expect(others.filter((key) => copyRank(key) >= last)).toEqual([]);
  });

  it('leaves out the locks of restic and the proof of the primary', async () => {
    const listed = [
      `${repository}/locks/${HASH}`,
      keys.records.replica('daily-1'),
      keys.records.lock('daily-1'),
      keys.records.work('daily-1'),
    ];
    expect(await paired(listed, [])).toEqual([[keys.records.work('daily-1'), false]]);
  });

  it('takes a namespace called locks all the same', () => {
    expect(isReplicated(`${keys.restic.repository('locks')}/data/01/${HASH}`)).toBe(true);
  });

  it('finds each object’s own copy, whatever else either side has', async () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z/]{1,4}$/));
    await fc.assert(
      fc.asyncProperty(names, names, async (primary, replica) => {
        const expected = [...primary].sort().map((key) => [key, replica.includes(key)]);
        expect(await paired(primary, replica)).toEqual(expected);
      }),
    );
  });
});

describe('the hash that a name promises', () => {
  it.each(['data/01', 'index', 'keys', 'snapshots'])('is the name itself below %s', (dir) => {
    expect(contentHash(`${repository}/${dir}/${HASH}`)).toBe(HASH);
  });

  it.each([
    `${repository}/config`,
    `${repository}/locks/${HASH}`,
    `${repository}/data/${HASH}`,
    `${repository}/index/${HASH}0`,
    `${repository}/index/${HASH.slice(1)}`,
    `other/${repository}/index/${HASH}`,
    keys.velero.archive('daily-1'),
    keys.records.volume('daily-1', HASH),
  ])('is none for %s', (key) => {
    expect(contentHash(key)).toBeUndefined();
  });
});
