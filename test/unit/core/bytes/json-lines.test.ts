import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDocument, jsonLines, readJsonLines } from '../../../../functions/core/bytes/json-lines.ts';

async function* chunksOf(body: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < body.length; i += size) yield body.subarray(i, i + size);
}
const read = async (body: Buffer, size = 7) => {
  const values: unknown[] = [];
  for await (const value of readJsonLines(chunksOf(body, size))) values.push(value);
  return values;
};
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('lines of JSON', () => {
  it('are read as they were written, however their bytes arrive', async () => {
    const values = fc.array(fc.jsonValue(), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(values, fc.integer({ min: 1, max: 50 }), async (all, size) => {
        expect(await read(Buffer.concat([...jsonLines(all)]), size)).toEqual(plain(all));
      }),
    );
  });

  it('may end without a newline, and have empty lines between them', async () => {
    expect(await read(Buffer.from('1\n\n{"a":2}'))).toEqual([1, { a: 2 }]);
  });

  it('are written in pieces', () => {
    const pieces = [
      ...jsonLines(Array.from({ length: 20_000 }, (_, i) => ({ name: `object-${i}`.padEnd(60) }))),
    ];
    expect(pieces.length).toBeGreaterThan(3);
    expect(Math.max(...pieces.map((p) => p.length))).toBeLessThan(300 * 1024);
  });

  it('are refused when one is not JSON', async () => {
    await expect(read(Buffer.from('{"a":1}\n{"a"'))).rejects.toThrow(SyntaxError);
  });
});

describe('a document in pieces', () => {
  it('is the JSON of its fields', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const text = Buffer.concat([...jsonDocument(fields)]).toString();
        expect(JSON.parse(text)).toEqual(plain(fields));
      }),
    );
  });

  it('has a line for each element of a list', () => {
    const text = Buffer.concat([...jsonDocument({ phase: 'Completed', none: [], items: [{ a: 1 }, 2] })]);
    expect(text.toString()).toBe(
      '{\n  "phase": "Completed",\n  "none": [],\n  "items": [\n    {"a":1},\n    2\n  ]\n}\n',
    );
  });
});
