import fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { type PatchOperation, patched, valueAtPointer } from '../../../../functions/core/bytes/json-patch.ts';
import { isSameJson } from '../../../../functions/core/bytes/json-value.ts';
import { copyOf, parseLossless } from '../../../../functions/core/bytes/lossless-json.ts';

const BIG = '9007199254740993';
const text = (document: string, ...operations: PatchOperation[]) =>
  JSON.stringify(operations.reduce<unknown>(patched, parseLossless(document)));

describe('an operation of a JSON patch', () => {
  // The examples of RFC 6902, appendix A.
  it.each<[string, PatchOperation, string]>([
    ['{"foo":"bar"}', { op: 'add', path: '/baz', value: 'qux' }, '{"foo":"bar","baz":"qux"}'],
    ['{"foo":["bar","baz"]}', { op: 'add', path: '/foo/1', value: 'qux' }, '{"foo":["bar","qux","baz"]}'],
    ['{"baz":"qux","foo":"bar"}', { op: 'remove', path: '/baz' }, '{"foo":"bar"}'],
    ['{"foo":["bar","qux","baz"]}', { op: 'remove', path: '/foo/1' }, '{"foo":["bar","baz"]}'],
    ['{"baz":"qux"}', { op: 'replace', path: '/baz', value: 'boo' }, '{"baz":"boo"}'],
    [
      '{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}',
      { op: 'move', from: '/foo/waldo', path: '/qux/thud' },
      '{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}',
    ],
    [
      '{"foo":["all","grass","cows","eat"]}',
      { op: 'move', from: '/foo/1', path: '/foo/3' },
      '{"foo":["all","cows","eat","grass"]}',
    ],
    ['{"baz":"qux"}', { op: 'test', path: '/baz', value: 'qux' }, '{"baz":"qux"}'],
    ['{"foo":"bar"}', { op: 'add', path: '/child', value: { a: {} } }, '{"foo":"bar","child":{"a":{}}}'],
    ['{"/":9,"~1":10}', { op: 'test', path: '/~01', value: 10 }, '{"/":9,"~1":10}'],
    ['{"foo":["bar"]}', { op: 'add', path: '/foo/-', value: ['abc'] }, '{"foo":["bar",["abc"]]}'],
    ['{"a":null}', { op: 'replace', path: '/a', value: 1 }, '{"a":1}'],
    ['{"a":1}', { op: 'replace', path: '', value: { b: 2 } }, '{"b":2}'],
    ['{"a":1}', { op: 'move', from: '/a', path: '/a' }, '{"a":1}'],
  ])('takes %s by %j to %s', (before, operation, after) => {
    expect(text(before, operation)).toBe(after);
  });

  it.each<[string, PatchOperation, string]>([
    ['{"foo":"bar"}', { op: 'add', path: '/baz/bat', value: 1 }, 'add /baz/bat: nothing is at /baz'],
    ['{"a":[]}', { op: 'add', path: '/a/1', value: 1 }, 'add /a/1: the list has no place 1'],
    ['{"a":[]}', { op: 'add', path: '/a/01', value: 1 }, 'add /a/01: the list has no place 01'],
    ['{"a":"b"}', { op: 'add', path: '/a/b', value: 1 }, 'neither an object nor a list'],
    ['{"a":1}', { op: 'remove', path: '/b' }, 'remove /b: nothing is at /b'],
    ['{"a":1}', { op: 'replace', path: '/b', value: 1 }, 'replace /b: nothing is at /b'],
    ['{"a":1}', { op: 'replace', path: '/a' }, 'replace /a: it needs a value'],
    ['{"a":1}', { op: 'copy', path: '/b' }, 'copy /b: it needs "from"'],
    ['{"a":{"b":1}}', { op: 'move', from: '/a', path: '/a/b/c' }, 'it would be moved into itself'],
    ['{"a":1}', { op: 'test', path: '/a', value: '1' }, 'test /a: the value is another one'],
    ['{"a":1}', { op: 'remove', path: 'a' }, '"a" does not begin with a slash'],
    ['{"a":1}', { op: 'remove', path: '/a~2' }, '~ is written ~0'],
    ['{"a":1}', { op: 'remove', path: '/toString' }, 'nothing is at /toString'],
    [`{"a":${BIG}}`, { op: 'add', path: '/a/rawJSON', value: 1 }, 'neither an object nor a list'],
  ])('refuses for %s %j: %s', (before, operation, message) => {
    expect(() => text(before, operation)).toThrow(RangeError);
    expect(() => text(before, operation)).toThrow(message);
  });

  it('adds a field of its own for a name that objects inherit', () => {
    expect(text('{"a":{}}', { op: 'add', path: '/a/__proto__', value: { b: 1 } })).toBe(
      '{"a":{"__proto__":{"b":1}}}',
    );
    expect(({} as { b?: number }).b).toBeUndefined();
  });

  it('copies, so that a later change of one place does not change the other', () => {
    const copy: PatchOperation = { op: 'copy', from: '/a', path: '/b' };
    expect(text('{"a":{"x":1}}', copy, { op: 'replace', path: '/b/x', value: 2 })).toBe(
      '{"a":{"x":1},"b":{"x":2}}',
    );
  });
});

describe('a long number', () => {
  const document = `{"n":${BIG},"a":{"n":${BIG}},"l":[${BIG}]}`;

  it.each<[string, PatchOperation, string]>([
    [
      'beside an addition',
      { op: 'add', path: '/x', value: 1 },
      `{"n":${BIG},"a":{"n":${BIG}},"l":[${BIG}],"x":1}`,
    ],
    [
      'that is copied',
      { op: 'copy', from: '/n', path: '/m' },
      `{"n":${BIG},"a":{"n":${BIG}},"l":[${BIG}],"m":${BIG}}`,
    ],
    [
      'in a copied object',
      { op: 'copy', from: '/a', path: '/l/0' },
      `{"n":${BIG},"a":{"n":${BIG}},"l":[{"n":${BIG}},${BIG}]}`,
    ],
    [
      'in a moved object',
      { op: 'move', from: '/a', path: '/b' },
      `{"n":${BIG},"l":[${BIG}],"b":{"n":${BIG}}}`,
    ],
    ['that is replaced', { op: 'replace', path: '/n', value: 1 }, `{"n":1,"a":{"n":${BIG}},"l":[${BIG}]}`],
    [
      'in a list that is removed from',
      { op: 'remove', path: '/l/0' },
      `{"n":${BIG},"a":{"n":${BIG}},"l":[]}`,
    ],
    ['that equals its rounded value', { op: 'test', path: '/a', value: { n: Number(BIG) } }, document],
  ])('keeps its digits: %s', (_, operation, after) => {
    expect(text(document, operation)).toBe(after);
  });

  it('is another one than a neighbour with the same rounded value', () => {
    expect(isSameJson(parseLossless(BIG), parseLossless(BIG))).toBe(true);
    expect(isSameJson(parseLossless(BIG), parseLossless('9007199254740994'))).toBe(false);
    expect(isSameJson(parseLossless(BIG), BIG)).toBe(false);
  });
});

describe('for ordinary values, operations', () => {
  const key = fc.constantFrom('a', 'b', 'c~/d', '0');
  // No longer texts: the library takes their characters for elements of a list.
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(fc.integer(), fc.constantFrom('', true, null)),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    ),
  }));
  const document = fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 });
  const pointer = fc
    .array(fc.constantFrom('a', 'b', 'c~0~1d', '0', '1', '-'), { minLength: 1, maxLength: 4 })
    .map((tokens) => `/${tokens.join('/')}`);
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: pointer, value }),
    fc.record({ op: fc.constant('remove'), path: pointer }),
    fc.record({ op: fc.constant('copy'), from: pointer, path: pointer }),
    fc.record({ op: fc.constant('move'), from: pointer, path: pointer }),
  ) as fc.Arbitrary<PatchOperation>;

  /** The library's own `copy` and `move` write to places that a list does not have. RFC 6902 says what they amount to. */
  function expanded(whole: unknown, op: PatchOperation): PatchOperation[] {
    if (op.op !== 'copy' && op.op !== 'move') return [op];
    const { from = '', path } = op;
    const found = valueAtPointer(whole, from);
    const added = { op: 'add', path, ...(found !== undefined && { value: copyOf(found) }) } as const;
    if (op.op === 'copy') return [added];
    return path.startsWith(`${from}/`)
      ? [{ op: 'add', path: '/no/where', value: 0 }]
      : [{ op: 'remove', path: from }, added];
  }

  /** The library's `replace` writes to a place like `-`, which is none. */
  const isPlaceOfList = (whole: unknown, { path }: PatchOperation) => {
    const parent = valueAtPointer(whole, path.slice(0, path.lastIndexOf('/')));
    return !Array.isArray(parent) || /\/\d+$/.test(path);
  };

  /** Whether the library can apply the operations, some of which it refuses by a TypeError. */
  function isApplied(whole: unknown, operations: PatchOperation[]): boolean {
    try {
      return applyPatch(whole, operations as Parameters<typeof applyPatch>[1]).every((e) => e === null);
    } catch {
      return false;
    }
  }

  it('do what the library does', () => {
    fc.assert(
      fc.property(document.map(copyOf), operation.map(copyOf), (whole, op) => {
        fc.pre(op.op !== 'replace' || isPlaceOfList(whole, op));
        const theirs = copyOf(whole);
        if (isApplied(theirs, expanded(whole, op))) expect(patched(copyOf(whole), op)).toEqual(theirs);
        else expect(() => patched(copyOf(whole), op)).toThrow(RangeError);
      }),
      { numRuns: 3000 },
    );
  });
});
