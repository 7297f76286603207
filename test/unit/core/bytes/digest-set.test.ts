import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DigestSet } from '../../../../functions/core/bytes/digest-set.ts';

const digest = (text: string) => createHash('sha256').update(text).digest();

it('a set of digests knows what was added, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 2 }), { maxLength: 300 }), (texts) => {
      const set = new DigestSet();
      const names = new Set<string>();
      for (const text of texts) {
        expect(set.add(digest(text))).toBe(!names.has(text));
        names.add(text);
      }
    }),
  );
});

it.each([
  ['zeros', Buffer.alloc(32), Buffer.concat([Buffer.alloc(4), Buffer.alloc(28, 1)])],
  ['one slot', Buffer.alloc(32, 1), Buffer.concat([Buffer.alloc(15, 1), Buffer.alloc(17, 2)])],
])('a set of digests tells digests of %s apart', (_, a, b) => {
  const set = new DigestSet();
  expect([set.add(a), set.add(b), set.add(a), set.add(b)]).toEqual([true, true, false, false]);
});
