import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPage, typeMeta } from '../../../../functions/core/bytes/json-slices.ts';

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
          const slices = readPage(listOf(items, metadata, glue)).items.map((i) => i.raw);
          expect(slices.map((s) => s.toString('utf8'))).toEqual(items);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('stop at the end of items, before lists that follow', () => {
    const page = Buffer.from('{"items":[{"a":1}],"others":[{"b":2}]}');
    expect(readPage(page).items.map((i) => i.raw.toString())).toEqual(['{"a":1}']);
  });

  it('are none when items is null, empty or absent', () => {
    for (const page of ['{"items":null}', '{"items":[]}', '{"metadata":{"items":[{}]}}', '{}'])
      expect(readPage(Buffer.from(page)).items).toEqual([]);
  });

  it('share the memory of the page', () => {
    const page = Buffer.from('{"items":[{"a":1}]}');
    expect(readPage(page).items[0]?.raw.buffer).toBe(page.buffer);
  });

  it.each(['{"items":[{"a":1}', '{"items":[{"a":1', '{"items":[{"a":"1', '{"items":['])(
    'are refused when the page is torn: %s',
    (torn) => {
      expect(() => readPage(Buffer.from(torn))).toThrow(SyntaxError);
    },
  );

  it('are refused wherever the page is torn after the list began', () => {
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), fc.nat(), (objects, cut) => {
        const start = Buffer.from('{"items":[');
        const rest = Buffer.from(objects.map((o) => JSON.stringify(o)).join(','));
        const torn = Buffer.concat([start, rest.subarray(0, cut % (rest.length + 1))]);
        expect(() => readPage(torn)).toThrow(SyntaxError);
      }),
    );
  });
});

describe('what a page says beside its objects', () => {
  it('is where the list goes on, at which instant, and how much is left', () => {
    const metadata = { resourceVersion: '7', continue: 'abc', remainingItemCount: 3 };
    expect(readPage(listOf([], metadata, ' ')).metadata).toEqual(metadata);
  });

  it('is the name of each object, and not a name that stands elsewhere in it', () => {
    const one = '{"spec":{"name":"x"},"metadata":{"labels":{"name":"y"},"name":"web","namespace":"shop"}}';
    const other = '{"kind":"Node","metadata":{"name":"n\\u0031"},"name":"z"}';
    const seen = readPage(listOf([one, other], {}, '')).items.map(({ raw: _, ...rest }) => rest);
    expect(seen).toEqual([
      { name: 'web', namespace: 'shop', typed: false },
      { name: 'n1', namespace: undefined, typed: true },
    ]);
  });
});

describe('the type put in front of an object', () => {
  it('leaves every byte of the object, integers beyond 2^53 and unknown fields too', () => {
    const own = '"spec":{"big":9007199254740993,"float":1.0,"x-unknown":{"b":1,"a":2}}}';
    expect(`${typeMeta('v1', 'Thing')}${own}`).toBe(`{"apiVersion":"v1","kind":"Thing",${own}`);
  });
});
