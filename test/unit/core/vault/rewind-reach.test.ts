import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planRewind } from '../../../../cli/rewind.ts';
import { incompleteAt, shortestDays } from '../../../../functions/core/vault/rewind-reach.ts';
import { vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import { MemoryVersions } from '../../../support/versioned-bucket.ts';

const now = new Date('2026-11-24T18:00:00Z');
const DAY = 24 * 3600_000;
const ago = (days: number) => new Date(now.getTime() - days * DAY);

describe('the view of a time', () => {
  it.each([
    [59.9, 60],
    [60, 60],
    [5000, undefined],
  ])('%d days ago is complete where versions stay %s days', (age, days) => {
    expect(incompleteAt(ago(age), now, { versioned: true, ...(days && { days }) }, 1)).toBeUndefined();
  });

  it('from before the days that versions stay cannot be complete, and since when it can is said', () => {
    expect(incompleteAt(ago(60.1), now, { versioned: true, days: 60 }, 1)).toBe(
      'the bucket removes earlier versions after 60 days, so what was overwritten or deleted before 2026-09-25T18:00:00.000Z is gone',
    );
  });

  it('cannot be complete in a bucket that keeps no versions', () => {
    expect(incompleteAt(ago(1), now, { versioned: false }, 1)).toMatch(/versioning is not enabled/);
  });

  it('from before everything in the bucket is not taken for an empty vault', () => {
    expect(incompleteAt(ago(1), now, { versioned: true, days: 60 }, 0)).toMatch(/no version .* so old/);
  });

  it('that is complete misses no version, whenever objects were written, overwritten and removed', () => {
    const keys = vaultKeys('paris');
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      day: fc.integer({ min: -100, max: -1 }),
      removed: fc.boolean(),
    });
    fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: -100, max: 0 }),
        fc.integer({ min: 1, max: 90 }),
        async (changes, toDay, days) => {
          const [all, left] = [new MemoryVersions(), new MemoryVersions()];
          const inOrder = changes.toSorted((a, b) => a.day - b.day);
          for (const [i, { key, day, removed }] of inOrder.entries()) {
            const next = inOrder.slice(i + 1).find((c) => c.key === key);
            const gone = next !== undefined && next.day + days < 0;
            for (const bucket of gone ? [all] : [all, left]) {
              bucket.clock = day;
              const name = `${keys.restic.repository('shop')}/data/${key}`;
              if (removed) await bucket.remove([name]);
              else bucket.put(name, `${i}`);
            }
          }
          const to = new Date(toDay * 1000); // a second of the model is a day
          const complete = incompleteAt(ago(-toDay), now, { versioned: true, days }, 1) === undefined;
          if (!complete) return;
          const restored = async (bucket: MemoryVersions) =>
            (await planRewind(bucket, 'paris', to)).steps
              .filter((step) => step.action === 'restore')
              .map(({ version: { key, at } }) => [key, at]);
          expect(await restored(left)).toEqual(await restored(all));
        },
      ),
    );
  });
});

describe('a plan of a rewind', () => {
  it('counts the keys that were visible then, so that a time before all of them is known', async () => {
    const keys = vaultKeys('paris');
    const bucket = new MemoryVersions();
    for (const [clock, name] of [10, 20, 30].map((at) => [at, `nightly-${at}`] as const)) {
      bucket.clock = clock;
      bucket.put(keys.records.record(name), 'x');
    }
    bucket.clock = 40;
    await bucket.remove([keys.records.record('nightly-10')]);
    const existed = async (second: number) =>
      (await planRewind(bucket, 'paris', new Date(second * 1000))).existed;
    expect([await existed(5), await existed(15), await existed(35), await existed(45)]).toEqual([0, 1, 3, 2]);
  });
});

describe('how long earlier versions stay', () => {
  const prefixes = ['records/paris/', 'velero/paris/', 'restic/paris/'];

  it('is what the shortest rule says that is of anything in them', () => {
    const rules = [
      { prefix: 'exports/', days: 1 },
      { prefix: 'inventories/', days: 1 },
      { prefix: '', days: 60 },
    ];
    expect(shortestDays(rules, prefixes)).toBe(60);
    expect(shortestDays([...rules, { prefix: 'restic/', days: 9 }], prefixes)).toBe(9);
    expect(shortestDays([...rules, { prefix: 'restic/paris/shop/data/', days: 3 }], prefixes)).toBe(3);
    expect(shortestDays([...rules, { prefix: 'restic/rome/', days: 2 }], prefixes)).toBe(60);
  });

  it('is for ever where no rule is of them', () => {
    expect(shortestDays([{ prefix: 'exports/', days: 1 }], prefixes)).toBeUndefined();
  });
});
