import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyRewind, planRewind } from '../../../../cli/rewind.ts';
import { copyRank } from '../../../../functions/core/vault/replication.ts';
import { planKey } from '../../../../functions/core/vault/rewind.ts';
import { rewoundPart, vaultKeys } from '../../../../functions/core/vault/vault-keys.ts';
import { MemoryVersions } from '../../../support/versioned-bucket.ts';

const keys = vaultKeys('paris');
const repository = keys.restic.repository('shop');
const KEYS = [
  `${repository}/config`,
  `${repository}/data/01/0123`,
  `${repository}/index/4567`,
  `${repository}/snapshots/89ab`,
  `${repository}/unknown`,
  keys.velero.archive('daily-1'),
  keys.velero.backup('daily-1'),
  keys.records.work('daily-1'),
  keys.records.record('daily-1'),
];
/** What a rewind leaves: of those at work, of one copy, of others, and passwords that came later. */
const PASSWORD = `${repository}/keys/cdef`;
const LEFT = [
  `${repository}/locks/0123`,
  keys.records.lock('daily-1'),
  keys.leases.restore,
  keys.restores.report('r'),
  vaultKeys('paris-2').records.record('daily-1'),
  `${vaultKeys('paris-2').restic.repository('shop')}/config`,
];

interface Change {
  readonly key: string;
  readonly wait: number;
  /** Nothing: it is deleted. */
  readonly content: string | undefined;
}
const change = (keys: readonly string[]): fc.Arbitrary<Change> =>
  fc.record({
    key: fc.constantFrom(...keys),
    wait: fc.constantFrom(0, 1, 2),
    content: fc.option(fc.constantFrom('a', 'b', 'longer'), { nil: undefined }),
  });
const history = (keys: readonly string[]) => fc.array(change(keys), { maxLength: 40 });

async function bucketAfter(changes: readonly Change[]): Promise<MemoryVersions> {
  const bucket = new MemoryVersions();
  for (const { key, wait, content } of changes) {
    bucket.clock += wait;
    if (content === undefined) await bucket.remove([key]);
    else bucket.put(key, content);
  }
  return bucket;
}
const at = (seconds: number) => new Date(seconds * 1000);
async function rewind(bucket: MemoryVersions, to: number, calls = Number.POSITIVE_INFINITY) {
  const { steps } = await planRewind(bucket, 'paris', at(to));
  bucket.clock += 10;
  bucket.callsLeft = calls;
  await applyRewind(bucket, bucket, steps).catch((error: Error) => {
    if (error.message !== 'stopped') throw error;
  });
  bucket.callsLeft = Number.POSITIVE_INFINITY;
  return steps;
}
const instant = fc.integer({ min: -1, max: 60 });

describe('after a rewind', () => {
  it('what is to be seen is what was to be seen then', async () => {
    await fc.assert(
      fc.asyncProperty(history(KEYS), instant, async (changes, to) => {
        const bucket = await bucketAfter(changes);
        const then = bucket.view(to);
        await rewind(bucket, Math.min(to, bucket.clock));
        expect(bucket.view()).toEqual(then);
      }),
    );
  });

  it('another one to the same instant changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(history([...KEYS, PASSWORD, ...LEFT]), instant, async (changes, to) => {
        const bucket = await bucketAfter(changes);
        await rewind(bucket, Math.min(to, bucket.clock));
        expect(await rewind(bucket, Math.min(to, bucket.clock))).toEqual([]);
      }),
    );
  });

  it('that was stopped anywhere, another one comes to the same', async () => {
    await fc.assert(
      fc.asyncProperty(history(KEYS), instant, fc.nat(12), async (changes, to, calls) => {
        const bucket = await bucketAfter(changes);
        const [then, until] = [bucket.view(to), Math.min(to, bucket.clock)];
        await rewind(bucket, until, calls);
        await rewind(bucket, until);
        expect(bucket.view()).toEqual(then);
      }),
    );
  });

  it('every version is still there, in its place', async () => {
    await fc.assert(
      fc.asyncProperty(history([...KEYS, PASSWORD]), instant, async (changes, to) => {
        const bucket = await bucketAfter(changes);
        const before = new Map(bucket.stored);
        await rewind(bucket, Math.min(to, bucket.clock));
        for (const [key, versions] of before)
          expect(bucket.stored.get(key)?.slice(0, versions.length)).toEqual(versions);
      }),
    );
  });

  it('it can be rewound: the instant before it comes back', async () => {
    await fc.assert(
      fc.asyncProperty(history(KEYS), instant, async (changes, to) => {
        const bucket = await bucketAfter(changes);
        const [before, until] = [bucket.view(), bucket.clock];
        await rewind(bucket, Math.min(to, until));
        await rewind(bucket, until);
        expect(bucket.view()).toEqual(before);
      }),
    );
  });

  it('nothing is changed that is of those at work, of one copy alone, or of another cluster', async () => {
    await fc.assert(
      fc.asyncProperty(history(LEFT), instant, async (changes, to) => {
        const bucket = await bucketAfter(changes);
        expect(await rewind(bucket, Math.min(to, bucket.clock))).toEqual([]);
      }),
    );
  });

  it('every password that opens a repository now does so still, and those of then do again', async () => {
    await fc.assert(
      fc.asyncProperty(history([PASSWORD]), instant, async (changes, to) => {
        const bucket = await bucketAfter(changes);
        const now = PASSWORD in bucket.view();
        const then = PASSWORD in bucket.view(to);
        await rewind(bucket, Math.min(to, bucket.clock));
        expect(PASSWORD in bucket.view()).toBe(now || then);
      }),
    );
  });
});

it('an instant after the last change plans nothing', async () => {
  await fc.assert(
    fc.asyncProperty(history(KEYS), fc.nat(5), async (changes, later) => {
      const bucket = await bucketAfter(changes);
      expect((await planRewind(bucket, 'paris', at(bucket.clock + later))).steps).toEqual([]);
    }),
  );
});

it('what refers to something comes back after it, and is hidden before it', async () => {
  await fc.assert(
    fc.asyncProperty(history(KEYS), instant, async (changes, to) => {
      const bucket = await bucketAfter(changes);
      const begin = bucket.log.length;
      const steps = await rewind(bucket, Math.min(to, bucket.clock));
      const done = bucket.log.slice(begin);
      const backs = steps.filter((s) => s.action === 'restore').length;
      const ranks = done.map(copyRank);
      expect(ranks.slice(0, backs)).toEqual(ranks.slice(0, backs).toSorted((a, b) => a - b));
      expect(ranks.slice(backs)).toEqual(ranks.slice(backs).toSorted((a, b) => b - a));
      expect(done).toHaveLength(steps.length);
    }),
  );
});

describe('a forged copy', () => {
  it('is overwritten: only what S3 says of a version counts', () => {
    const was = { key: KEYS[0] as string, id: 'v1', at: at(1), deleted: false, bytes: 1 };
    const forged = { ...was, id: 'v2', at: at(9) };
    expect(planKey([forged, was], at(5))).toMatchObject({ action: 'restore', version: was });
    expect(planKey([{ ...forged, copyOf: 'v1' }, was], at(5)).action).toBe('leave');
    expect(planKey([{ ...forged, copyOf: 'v0' }, was], at(5)).action).toBe('restore');
  });
});

describe('the reason', () => {
  const version = (id: string, seconds: number, deleted = false) => ({
    key: KEYS[0] as string,
    id,
    at: at(seconds),
    deleted,
    bytes: 1,
  });
  it.each([
    ['what was deleted', [version('d', 7, true), version('v', 1)], 'deleted 1970-01-01T00:00:07.000Z'],
    ['what was overwritten', [version('w', 7), version('v', 1)], 'overwritten 1970-01-01T00:00:07.000Z'],
    ['what came later', [version('v', 7)], 'created 1970-01-01T00:00:07.000Z'],
    [
      'the first change of several',
      [version('w', 9), version('d', 7, true), version('v', 1)],
      'deleted 1970-01-01T00:00:07.000Z',
    ],
  ] as const)('of %s', (_, versions, reason) => {
    expect(planKey(versions, at(5)).reason).toBe(reason);
  });
});

describe('a summary', () => {
  it('names recovery points and repositories by what becomes of them', async () => {
    const bucket = new MemoryVersions();
    for (const name of ['lost', 'torn', 'kept']) {
      bucket.put(keys.records.record(name), 'x');
      bucket.put(keys.velero.archive(name), 'xyz');
    }
    bucket.put(PASSWORD, 'p');
    bucket.put(`${repository}/config`, 'c');
    bucket.put(`${keys.restic.repository('quiet')}/config`, 'c');
    bucket.clock = 9;
    await bucket.remove([keys.records.record('lost'), keys.velero.archive('torn'), PASSWORD]);
    bucket.put(keys.records.record('late'), 'x');
    bucket.put(keys.records.prune.plan('p-1'), 'x');
    const { summary } = await planRewind(bucket, 'paris', at(5));
    expect(summary).toMatchObject({
      back: ['lost'],
      gone: ['late'],
      mended: ['torn'],
      repositories: ['shop'],
      passwords: ['shop'],
      parts: {
        records: { restore: { objects: 1, bytes: 1 }, hide: { objects: 2 }, leave: { objects: 2 } },
        velero: { restore: { objects: 1, bytes: 3 } },
      },
    });
  });
});

it('every key of the layout that a recovery point is made of is rewound, and each knows of what it is a part', () => {
  const parts = [...KEYS, PASSWORD].map((key) => rewoundPart(key)?.name);
  expect(parts).toEqual([...Array(5).fill('shop'), ...Array(4).fill('daily-1'), 'shop']);
  expect(KEYS.filter((key) => rewoundPart(key)?.marker)).toEqual([keys.records.record('daily-1')]);
});
