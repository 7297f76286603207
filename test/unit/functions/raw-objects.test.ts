import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryPaths, parsePreferredPath } from '../../../functions/core/archive.ts';
import { sliceItems, withTypeMeta } from '../../../functions/core/json-slices.ts';

const object = fc.dictionary(fc.string(), fc.jsonValue());

describe('slices of a list', () => {
  it('are the very bytes of its objects, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(object), object, fc.boolean(), (items, metadata, spaced) => {
        const texts = items.map((i) => JSON.stringify(i, null, spaced ? 1 : 0));
        const page = `{"kind":"List","metadata":${JSON.stringify({ ...metadata, items: [{}] })},"items":[${texts.join(',')}]}`;
        expect(sliceItems(Buffer.from(page)).map(String)).toEqual(texts);
      }),
    );
  });
  it('of a page that ends in the middle are an error', () => {
    expect(() => sliceItems(Buffer.from('{"items":[{"a":1},{"b"'))).toThrow(SyntaxError);
  });
  it('of null items are none', () => {
    expect(sliceItems(Buffer.from('{"items":null}'))).toEqual([]);
  });
});

describe('the type put in front of an object', () => {
  it('keeps a number that JavaScript would round', () => {
    const text = withTypeMeta(Buffer.from('{"spec":{"n":12345678901234567890}}'), 'v1', 'X').toString();
    expect(text).toBe('{"apiVersion":"v1","kind":"X","spec":{"n":12345678901234567890}}');
  });
  it('makes JSON of an empty object too', () => {
    expect(JSON.parse(withTypeMeta(Buffer.from('{ }'), 'v1', 'X').toString())).toEqual({
      apiVersion: 'v1',
      kind: 'X',
    });
  });
});

describe('a path in the archive', () => {
  const type = {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    kind: 'Deployment',
    namespaced: true,
  };
  it('gives its object back', () => {
    const [, preferred] = entryPaths(type, 'web', 'shop');
    expect(parsePreferredPath(preferred)).toEqual({
      groupResource: 'deployments.apps',
      version: 'v1',
      namespace: 'shop',
      name: 'web',
    });
  });
  it('that climbs out is no path of an object', () => {
    expect(parsePreferredPath('resources/pods/v1-preferredversion/namespaces/../x.json')).toBeUndefined();
  });
});
