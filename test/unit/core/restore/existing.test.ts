import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLossless } from '../../../../functions/core/bytes/lossless-json.ts';
import { mergePatch } from '../../../../functions/core/bytes/merge-patch.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { textOf } from '../../../../functions/core/restore/compare.ts';
import { changeToward, driftOfExisting } from '../../../../functions/core/restore/existing.ts';

const at = { groupResource: 'configmaps' };
const of = (body: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', ...metadata },
  ...body,
});
const compare = (wanted: KubeObject, live: KubeObject, archived = wanted) => {
  const existing = { at, wanted, archived, live };
  const drift = driftOfExisting(existing);
  return {
    paths: [...drift.changed, ...drift.added].map(textOf),
    patch: changeToward(existing, drift),
  };
};
const written = (manager: string, fieldsV1: object) => ({
  managedFields: [{ manager, operation: 'Update', fieldsV1 }],
});

const keys = fc.constantFrom('a', 'b', 'c', 'x.y/z');
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ maxLength: 3 }),
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 3 }),
  ),
}));
const body = fc.record({ data: fc.dictionary(keys, value, { maxKeys: 3 }) });

describe('an existing object', () => {
  it('that is the same has no drift', () => {
    fc.assert(
      fc.property(body, (b) => {
        expect(compare(of(b), of(structuredClone(b), { uid: 'u', resourceVersion: '1' })).paths).toEqual([]);
      }),
    );
  });

  it('has no drift after its change has been made, whatever was added, changed or removed', () => {
    fc.assert(
      fc.property(body, body, (wanted, live) => {
        const { patch } = compare(of(wanted), of(live));
        const after = JSON.parse(JSON.stringify(mergePatch(of(live), patch))) as KubeObject;
        expect(compare(of(wanted), after).paths).toEqual([]);
      }),
    );
  });

  it('cannot reach beyond itself with a field named __proto__', () => {
    const hostile = JSON.parse('{"data":{"__proto__":{"reached":"x"}}}') as object;
    expect(JSON.stringify(compare(of(hostile), of({ data: {} })).patch)).toContain('reached');
    expect(({} as Record<string, unknown>).reached).toBeUndefined();
  });

  it('with fields that nobody wrote has the defaults of a newer API server, which are no drift', () => {
    const archived = of({ spec: { a: 1 } });
    const live = of(
      { spec: { a: 1, policy: 'Default', list: ['IPv4'] } },
      written('helm', { 'f:spec': { 'f:a': {} } }),
    );
    expect(compare(archived, live).paths).toEqual([]);
  });

  it.each([
    ['data', { data: { b: '1' } }],
    ['a list of objects', { spec: { egress: [{}] } }],
  ])('with %s that nobody says to have written has drift: ownership can be taken away', (_, more) => {
    const live = of(more, written('helm', { 'f:metadata': {} }));
    expect(compare(of({}), live).paths).toHaveLength(1);
  });

  it('keeps the certificate that a controller has put into a list which changes otherwise', () => {
    const hooks = (caBundle: string, timeout: number) => ({
      webhooks: [{ clientConfig: { caBundle }, timeout }],
    });
    const managers = {
      managedFields: [
        {
          manager: 'helm',
          operation: 'Update',
          fieldsV1: { 'f:webhooks': { 'i:9': {} }, 'f:a': {}, 'f:b': {} },
        },
        { manager: 'cainjector', operation: 'Update', fieldsV1: { 'f:webhooks': {} } },
      ],
    };
    const { paths, patch } = compare(of(hooks('old', 5)), of(hooks('new', 9), managers), of({}, managers));
    expect(paths).toEqual(['webhooks[0].timeout']);
    expect(patch).toMatchObject(hooks('new', 5));
  });

  it('differs in the last digit of a long number, and is changed to all its digits', () => {
    const long = (digits: string) => of({ spec: parseLossless(`{"n":${digits}}`) as object });
    const { paths, patch } = compare(long('9007199254740993'), long('9007199254740992'));
    expect(paths).toEqual(['spec.n']);
    expect(JSON.stringify(patch)).toContain('9007199254740993');
  });

  it('is changed only as it was read: the patch carries its resourceVersion', () => {
    expect(compare(of({ data: { a: '1' } }), of({ data: {} }, { resourceVersion: '7' })).patch).toMatchObject(
      {
        metadata: { resourceVersion: '7' },
      },
    );
  });
});
