import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sliceItems, withTypeMeta } from '../../../functions/core/json-slices.ts';

/** Strings that look like JSON, end in backslashes, or hold what is not ASCII. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '\\"', '{', '}', '[', ']', '"items":[', ',"items":[{', 'é€😀', '\u2028', '\n\t'),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(text, fc.constant('items')), tie('any'), { maxKeys: 4 }),
  ),
})).any;
const object = fc.dictionary(fc.oneof(text, fc.constantFrom('items', 'metadata')), value, { maxKeys: 5 });
const spaces = fc.constantFrom(undefined, 1, 2);

/** A list response as bytes, and the bytes of each of its items. */
function listOf(items: string[], metadata: unknown, glue: string): Buffer {
  const head = `{"kind":"items","apiVersion":"v1","metadata":${JSON.stringify(metadata)}`;
  return Buffer.from(`${head},"items"${glue}:${glue}[${items.join(`,${glue}`)}${glue}]${glue}}\n`);
}

describe('the slices of a list', () => {
  it('are the very bytes of its objects, whatever they hold', () => {
    fc.assert(
      fc.property(
        fc.array(object, { maxLength: 6 }),
        fc.record({ items: fc.array(object), note: text, more: object }),
        spaces,
        fc.constantFrom('', ' ', '\n  '),
        (objects, metadata, indent, glue) => {
          const items = objects.map((o) => JSON.stringify(o, null, indent));
          const slices = sliceItems(listOf(items, metadata, glue));
          expect(slices.map((s) => s.toString('utf8'))).toEqual(items);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('stop at the end of items, before lists that follow', () => {
    const page = Buffer.from('{"items":[{"a":1}],"others":[{"b":2}]}');
    expect(sliceItems(page).map(String)).toEqual(['{"a":1}']);
  });

  it('are none when items is null, empty or absent', () => {
    for (const page of ['{"items":null}', '{"items":[]}', '{"metadata":{"items":[{}]}}', '{}'])
      expect(sliceItems(Buffer.from(page))).toEqual([]);
  });

  it('share the memory of the page', () => {
    const page = Buffer.from('{"items":[{"a":1}]}');
    expect(sliceItems(page)[0]?.buffer).toBe(page.buffer);
  });

  it.each(['{"items":[{"a":1}', '{"items":[{"a":1', '{"items":[{"a":"1', '{"items":['])(
    'are refused when the page is torn: %s',
    (torn) => {
      expect(() => sliceItems(Buffer.from(torn))).toThrow(SyntaxError);
    },
  );

  it('are refused wherever the page is torn after the list began', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), fc.nat(), (objects, cut) => {
        const start = Buffer.from('{"items":[');
        const rest = Buffer.from(objects.map((o) => JSON.stringify(o)).join(','));
        const torn = Buffer.concat([start, rest.subarray(0, cut % (rest.length + 1))]);
        expect(() => sliceItems(torn)).toThrow(SyntaxError);
      }),
    );
  });
});

describe('an object with its type', () => {
  it('keeps every byte of the object, integers beyond 2^53 and unknown fields too', () => {
    const own = '"spec":{"big":9007199254740993,"float":1.0,"x-unknown":{"b":1,"a":2}}}';
    const typed = withTypeMeta(Buffer.from(`{${own}`), 'v1', 'Thing');
    expect(typed.toString('utf8')).toBe(`{"apiVersion":"v1","kind":"Thing",${own}`);
  });

  it.each(['{}', '{ }', '{\n}'])('is valid JSON for the empty object %j', (empty) => {
    const typed = withTypeMeta(Buffer.from(empty), 'v1', 'Thing');
    expect(JSON.parse(typed.toString('utf8'))).toEqual({ apiVersion: 'v1', kind: 'Thing' });
  });

  it('does not touch the page that the object is a slice of', () => {
    const page = Buffer.from('{"items":[{"a":1}]}');
    withTypeMeta(sliceItems(page)[0] as Buffer, 'v1', 'Thing');
    expect(page.toString()).toBe('{"items":[{"a":1}]}');
  });
});
