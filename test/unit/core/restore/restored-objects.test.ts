import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { differences, differencesIn } from '../../../../functions/core/restore/compare.ts';

describe('the differences of an object from what was wanted', () => {
  it('are none from itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(differences(value, structuredClone(value))).toEqual([]);
      }),
    );
  });

  it('are none for what the cluster adds', () => {
    const added = fc.dictionary(
      fc.string().map((k) => `added-${k}`),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue()), added, (wanted, more) => {
        expect(differences(wanted, { ...more, ...wanted })).toEqual([]);
      }),
    );
  });

  it('are none for the volume of a pod’s own token', () => {
    const pod = (...names: string[]): KubeObject => ({
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: {
        volumes: names.map((name) => ({ name })),
        containers: [{ name: 'main', volumeMounts: names.map((name) => ({ name })) }],
      },
    });
    const token = pod('data', 'kube-api-access-x2v');
    expect(differencesIn({ groupResource: 'pods' }, pod('data'), token)).toEqual([]);
    expect(differencesIn({ groupResource: 'pods' }, pod('data'), pod('data', 'sidecar'))).not.toEqual([]);
  });

  it('are told of a custom resource whose kind is Pod', () => {
    const at = { groupResource: 'pods.example.com' };
    const custom = (...volumes: string[]): KubeObject => ({
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { volumes: volumes.map((name) => ({ name })) },
    });
    const wanted = custom('kube-api-access-x2v');
    expect(differencesIn(at, wanted, wanted)).toEqual([]);
    expect(differencesIn(at, custom(), wanted)).toEqual(['spec.volumes']);
  });

  it('are found wherever a scalar changes', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 5 }), (path) => {
        const nest = (leaf: number) => path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), leaf);
        expect(differences(nest(1), nest(2))).toEqual([path.join('.')]);
      }),
    );
  });

  it.each([
    [{ a: { b: 1 } }, {}, ['a']],
    [{ a: [1, 2] }, { a: [1, 3] }, ['a[1]']],
    [{ a: [1] }, { a: [1, 2] }, ['a']],
    [{ a: [1] }, { a: { 0: 1 } }, ['a']],
    [{ a: { b: 1 } }, { a: null }, ['a']],
    [{ a: null }, { a: 0 }, ['a']],
    [{ a: '1' }, { a: 1 }, ['a']],
    [{ a: '1024Ti' }, { a: '1Pi' }, []],
    [{ a: '1024Ti' }, { a: '1P' }, ['a']],
    [{ a: [{ b: 1, c: 2 }] }, { a: [{ b: 2, c: 3, d: 4 }] }, ['a[0].b', 'a[0].c']],
  ])('of %j and %j are %j', (wanted, live, paths) => {
    expect(differences(wanted, live)).toEqual(paths);
  });
});
