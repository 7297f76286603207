import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  inventoryLine,
  ProvenBefore,
  parseInventoryLine,
  type Version,
} from '../../../../functions/core/vault/inventory.ts';

const version = fc.record({
  key: fc.stringMatching(/^[a-f]{1,3}$/),
  bytes: fc.nat(2),
  etag: fc.stringMatching(/^"[ab]"$/),
});
const sorted = (versions: readonly Version[]) => [...versions].sort((a, b) => (a.key < b.key ? -1 : 1));
const inventory = fc.uniqueArray(version, { selector: (v) => v.key }).map(sorted);

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

describe('a line of an inventory', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(version, (v) => {
        expect(parseInventoryLine(inventoryLine(v).slice(0, -1))).toEqual(v);
      }),
    );
  });
  it.each(['', 'key', 'key\t1', 'key\t1\t', 'key\tone\t"a"', 'a\tb\t1\t"a"'])('is not "%s"', (line) => {
    expect(parseInventoryLine(line)).toBeUndefined();
  });
});

describe('what was proven before', () => {
  it('is exactly the versions of the inventory, as far as it is asked, and the rest stays', async () => {
    await fc.assert(
      fc.asyncProperty(inventory, inventory, fc.nat(10), async (entries, there, asked) => {
        const before = new ProvenBefore(each(entries));
        const seen = there.slice(0, asked);
        const kept: Version[] = [];
        for (const v of seen) if (await before.has(v.key, v)) kept.push(v);
        const same = (a: Version) => (b: Version) => inventoryLine(a) === inventoryLine(b);
        expect(kept).toEqual(seen.filter((v) => entries.some(same(v))));
        const last = seen.at(-1)?.key ?? '';
        expect(await all(before.rest())).toEqual(entries.filter((e) => e.key > last));
        expect(before.dropped).toBe(entries.filter((e) => e.key <= last && !seen.some(same(e))).length);
      }),
    );
  });

  it('says nothing of a key under which nothing is there, and does not come back to it', async () => {
    const entry = { key: 'a', bytes: 1, etag: '"a"' };
    const before = new ProvenBefore(each([entry]));
    expect(await before.has('a', undefined)).toBe(false);
    expect(await all(before.rest())).toEqual([]);
  });
});
