import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { differences, differencesIn } from '../../../../functions/core/restore/compare.ts';
import { readiness } from '../../../../functions/core/restore/readiness.ts';

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

describe('a workload', () => {
  const workload = (kind: string, spec: object, status: object, generation = 1): KubeObject => ({
    kind,
    metadata: { name: 'x', generation },
    spec: { ...spec },
    status: { ...status },
  });
  const seen = { observedGeneration: 1 };

  it.each(['Deployment', 'StatefulSet'])('is ready as a %s when all replicas are', (kind) => {
    expect(readiness(workload(kind, { replicas: 2 }, { ...seen, readyReplicas: 2 }))).toBeUndefined();
  });

  it.each(['Deployment', 'StatefulSet'])('waits as a %s for its replicas', (kind) => {
    expect(readiness(workload(kind, { replicas: 2 }, { ...seen, readyReplicas: 1 }))).toBe('1 of 2 ready');
    expect(readiness(workload(kind, { replicas: 2 }, seen))).toBe('0 of 2 ready');
  });

  it('has one replica when it does not say', () => {
    expect(readiness(workload('Deployment', {}, seen))).toBe('0 of 1 ready');
  });

  it('is ready when it wants no replicas', () => {
    expect(readiness(workload('Deployment', { replicas: 0 }, seen))).toBeUndefined();
  });

  it('waits while its controller has not seen the newest generation', () => {
    const old = workload('Deployment', { replicas: 1 }, { observedGeneration: 1, readyReplicas: 1 }, 2);
    expect(readiness(old)).toBe('1 of 1 ready');
  });

  it('waits as a DaemonSet for each node', () => {
    const status = { ...seen, desiredNumberScheduled: 3, numberReady: 2 };
    expect(readiness(workload('DaemonSet', {}, status))).toBe('2 of 3 ready');
    expect(readiness(workload('DaemonSet', {}, { ...status, numberReady: 3 }))).toBeUndefined();
  });

  it('waits as a DaemonSet that its controller has not seen at all', () => {
    expect(readiness(workload('DaemonSet', {}, {}))).toBeDefined();
  });

  it('is ready as a DaemonSet that fits no node', () => {
    expect(readiness(workload('DaemonSet', {}, { ...seen, desiredNumberScheduled: 0 }))).toBeUndefined();
  });

  it('is lost with a claim whose volume is lost', () => {
    expect(readiness(workload('PersistentVolumeClaim', {}, { phase: 'Lost' }))).toBe(
      'the claim has lost its volume',
    );
  });

  it.each(['ConfigMap', 'PersistentVolumeClaim', 'Job'])('is nothing to wait for as a %s', (kind) => {
    expect(readiness({ kind, metadata: { name: 'x' } })).toBeUndefined();
  });
});
