import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  contentHash,
  copyRank,
  type InventoryObject,
  isReplicated,
  missingInReplica,
} from '../../../functions/core/replication.ts';
import { vaultKeys } from '../../../functions/core/vault-keys.ts';

const k = vaultKeys('paris');
const repository = k.restic.repository('shop');
const HASH = '0123456789abcdef'.repeat(4);
const IN_ORDER = [
  `${repository}/config`,
  `${repository}/keys/${HASH}`,
  `${repository}/data/01/${HASH}`,
  `${repository}/index/${HASH}`,
  `${repository}/snapshots/${HASH}`,
  k.velero.archive('daily-1'),
  k.velero.backup('daily-1'),
  k.records.record('daily-1'),
];
const object = (key: string, bytes = 1, etag = 'e'): InventoryObject => ({ key, bytes, etag });
const copies = (objects: readonly InventoryObject[]) => new Map(objects.map((o) => [o.key, o]));
const missing = (keys: readonly string[], have: readonly InventoryObject[] = [], same = true) =>
  missingInReplica(
    keys.map((key) => object(key)),
    copies(have),
    () => same,
  ).map((o) => o.key);

describe('a copy', () => {
  it('is made in the order in which nothing refers to what is not there', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(IN_ORDER, { minLength: IN_ORDER.length }), (keys) => {
        expect(missing(keys)).toEqual(IN_ORDER);
      }),
    );
  });

  it('never makes two kinds of reference in one batch', () => {
    const [archive, ...others] = [k.velero.archive('b'), ...IN_ORDER.filter((key) => !key.includes('tar'))];
    expect(new Set(others.map(copyRank)).size).toBe(others.length);
    expect(copyRank(archive as string)).toBeLessThan(copyRank(k.velero.backup('b')));
  });

  it('puts the commit marker after everything else of the recovery point', () => {
    const others = [
      ...IN_ORDER.slice(0, -1),
      k.records.work('daily-1'),
      k.records.resources('daily-1'),
      k.records.volume('daily-1', 'shop.data'),
      k.velero.results('daily-1'),
    ];
    const last = copyRank(k.records.record('daily-1'));
    expect(others.filter((key) => copyRank(key) >= last)).toEqual([]);
  });

  it('leaves out the locks of restic and the proof of the primary', () => {
    const keys = [`${repository}/locks/${HASH}`, k.records.replica('daily-1'), k.records.work('daily-1')];
    expect(missing(keys)).toEqual([k.records.work('daily-1')]);
  });

  it('takes a namespace called locks all the same', () => {
    expect(isReplicated(`${k.restic.repository('locks')}/data/01/${HASH}`)).toBe(true);
  });

  it('is not made again of what is there', () => {
    expect(
      missing(
        IN_ORDER,
        IN_ORDER.map((key) => object(key)),
      ),
    ).toEqual([]);
  });

  it('is made again of what has another size', () => {
    const key = k.records.work('daily-1');
    expect(missing([key], [object(key, 2)])).toEqual([key]);
  });

  it('is made again of what is not the same', () => {
    const key = k.records.work('daily-1');
    expect(missing([key], [object(key)], false)).toEqual([key]);
  });

  it('compares an object with its own copy', () => {
    const pairs: string[][] = [];
    const keys = [k.records.work('a'), k.records.work('b')];
    missingInReplica(
      keys.map((key) => object(key, 1, 'primary')),
      copies(keys.map((key) => object(key, 1, 'replica'))),
      (a, b) => pairs.push([a.etag, b.etag, String(a.key === b.key)]) > 0,
    );
    expect(pairs).toEqual([
      ['primary', 'replica', 'true'],
      ['primary', 'replica', 'true'],
    ]);
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
    k.velero.archive('daily-1'),
    k.records.volume('daily-1', HASH),
  ])('is none for %s', (key) => {
    expect(contentHash(key)).toBeUndefined();
  });
});
