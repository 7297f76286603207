import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { nextLimit } from '../../../../functions/adapters/kubernetes/lists.ts';
import {
  changesBetween,
  FINGERPRINT_DIGITS,
  type TypeDigest,
} from '../../../../functions/core/backup/changes.ts';
import { type ExportUnit, shardsOf } from '../../../../functions/core/backup/shards.ts';
import { GrowingBuffer } from '../../../../functions/core/bytes/growing-buffer.ts';
import { END_OF_TAR, fileHeader, paddingOf } from '../../../../functions/core/bytes/tar.ts';
import { TYPES } from '../../../../functions/core/kubernetes/well-known.ts';

describe('a tar', () => {
  const segment = fc.stringMatching(/^[a-zA-Z0-9._é-]{1,120}$/);
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  it('is read back by others with every path and size, however long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, fc.nat(2000)), { maxLength: 5 }), async (files) => {
        const blocks = files.flatMap(([name, size]) => [
          fileHeader(name, size, 0o755),
          Buffer.alloc(size, 'x'),
          Buffer.alloc(paddingOf(size)),
        ]);
        const tar = extract();
        Readable.from([Buffer.concat([...blocks, END_OF_TAR])]).pipe(tar);
        const seen: [string, number][] = [];
        for await (const entry of tar) seen.push([entry.header.name, (await buffer(entry)).length]);
        expect(seen).toEqual(files);
      }),
    );
  });
  it.each([
    [0, 0],
    [1, 511],
    [511, 1],
    [512, 0],
    [513, 511],
  ])('has %i bytes filled up by %i', (size, padding) => {
    expect(paddingOf(size)).toBe(padding);
  });
});

describe('the shards of an export', () => {
  const unit = fc.record({ items: fc.nat(1000), namespace: fc.string(), type: fc.constant(TYPES.pods) });
  it('hold every list exactly once', () => {
    fc.assert(
      fc.property(fc.array(unit), fc.integer({ min: 1, max: 2000 }), (units: ExportUnit[], size) => {
        const all = shardsOf(units, size).flat();
        expect(new Set(all)).toEqual(new Set(units));
        expect(all.length).toBe(units.length);
      }),
    );
  });
  it('are never larger than one shard and its largest list', () => {
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 1 }),
        fc.integer({ min: 1, max: 2000 }),
        (units: ExportUnit[], size) => {
          const largest = Math.max(...units.map((u) => u.items));
          for (const shard of shardsOf(units, size))
            expect(shard.reduce((n, u) => n + u.items, 0)).toBeLessThanOrEqual(size + largest);
        },
      ),
    );
  });
  it('are one for a small cluster, and for an empty one', () => {
    expect(shardsOf([{ type: TYPES.pods, items: 5 }], 10)).toHaveLength(1);
    expect(shardsOf([], 10)).toEqual([[]]);
  });
});

describe('the changes between two exports', () => {
  const half = (text: string) => text.padStart(FINGERPRINT_DIGITS / 2, '0');
  const digest = (objects: Record<string, string>): TypeDigest => {
    const prints = Object.entries(objects)
      .map(([name, state]) => half(name) + half(state))
      .sort();
    return { type: 'pods', items: prints.length, digest: prints.join(), fingerprints: prints.join('') };
  };
  const objects = fc.dictionary(fc.stringMatching(/^[0-9a-f]{1,2}$/), fc.stringMatching(/^[0-9a-f]$/));
  it('are what came, what went, and what is not the same', () => {
    fc.assert(
      fc.property(objects, objects, (before, after) => {
        const a = new Map(
          Object.entries(digest(before).fingerprints.match(/.{32}/g) ?? []).map(([, p]) => [
            p.slice(0, 16),
            p,
          ]),
        );
        const b = new Map(
          Object.entries(digest(after).fingerprints.match(/.{32}/g) ?? []).map(([, p]) => [
            p.slice(0, 16),
            p,
          ]),
        );
        fc.pre(a.size === Object.keys(before).length && b.size === Object.keys(after).length);
        const { added, changed, removed } = changesBetween([digest(before)], [digest(after)]);
        expect({ added, changed, removed }).toEqual({
          added: [...b.keys()].filter((k) => !a.has(k)).length,
          changed: [...b].filter(([k, p]) => a.has(k) && a.get(k) !== p).length,
          removed: [...a.keys()].filter((k) => !b.has(k)).length,
        });
      }),
    );
  });
  it('name no type that stayed as it was', () => {
    expect(changesBetween([digest({ a: '1' })], [digest({ a: '1' })])).toEqual({
      added: 0,
      changed: 0,
      removed: 0,
      types: {},
    });
  });
  it('count all objects of a type that is new or gone', () => {
    expect(changesBetween([], [digest({ a: '1', b: '2' })]).types).toEqual({
      pods: { added: 2, changed: 0, removed: 0 },
    });
    expect(changesBetween([digest({ a: '1' })], []).removed).toBe(1);
  });
});

describe('the pages of a list', () => {
  it('grow at most tenfold, to what fits into a mebibyte', () => {
    expect(nextLimit(20, 20 * 1000, 20)).toBe(200);
    expect(nextLimit(200, 200 * 1024, 200)).toBe(1024);
    expect(nextLimit(20, 20 * 1024 * 1024, 20)).toBe(1);
    expect(nextLimit(1000, 1000, 1000)).toBe(2000);
  });
});

describe('a growing buffer', () => {
  it('holds what was put in since it was cleared, whatever its first size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.integer({ min: 1, max: 20 }),
        (chunks, capacity) => {
          const into = new GrowingBuffer(capacity);
          into.append(Buffer.from('before'));
          into.clear();
          for (const chunk of chunks) into.append(chunk);
          expect(into.content()).toEqual(Buffer.concat(chunks));
        },
      ),
    );
  });
});
