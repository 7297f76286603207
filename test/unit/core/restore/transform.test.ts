import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResourceModifier, RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { ArchivedName } from '../../../../functions/core/backup/archive.ts';
import { parseLossless } from '../../../../functions/core/bytes/lossless-json.ts';
import { mergePatch } from '../../../../functions/core/bytes/merge-patch.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { differences } from '../../../../functions/core/restore/compare.ts';
import { mapImage, targetOf, transform } from '../../../../functions/core/restore/transform.ts';
import { at, objectOf } from '../../../support/archived.ts';

const ORIGIN = { backup: 'b', restore: 'r' };
const transformed = (where: ArchivedName, object: KubeObject, options: RestoreOptions) =>
  transform(where, object, options, ORIGIN);
const MAPPED = { namespaceMapping: { shop: 'shop-copy' } };

describe('a namespace mapping', () => {
  it('renames the Namespace and moves what is in it', () => {
    expect(
      transformed(at('namespaces', 'shop', undefined), objectOf('Namespace', {}, { name: 'shop' }), MAPPED)
        .metadata.name,
    ).toBe('shop-copy');
    expect(
      transformed(at('pods'), objectOf('ConfigMap', {}, { namespace: 'shop' }), MAPPED).metadata.namespace,
    ).toBe('shop-copy');
    expect([
      targetOf(at('namespaces', 'shop', undefined), MAPPED).name,
      targetOf(at('pods'), MAPPED).namespace,
    ]).toEqual(['shop-copy', 'shop-copy']);
  });
  it('follows into the subjects of bindings, service accounts and their groups, and no others', () => {
    const subjects = [
      { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
      { kind: 'ServiceAccount', name: 'web', namespace: 'other' },
      { kind: 'Group', name: 'system:serviceaccounts:shop' },
      { kind: 'User', name: 'shop' },
    ];
    expect(
      transformed(at('rolebindings.rbac.authorization.k8s.io'), objectOf('RoleBinding', { subjects }), MAPPED)
        .subjects,
    ).toEqual([
      { kind: 'ServiceAccount', name: 'web', namespace: 'shop-copy' },
      { kind: 'ServiceAccount', name: 'web', namespace: 'other' },
      { kind: 'Group', name: 'system:serviceaccounts:shop-copy' },
      { kind: 'User', name: 'shop' },
    ]);
  });
  it('follows into the services of webhooks and aggregated APIs', () => {
    const hook = { clientConfig: { service: { name: 'hook', namespace: 'shop' } } };
    const webhooks = transformed(
      at('validatingwebhookconfigurations.admissionregistration.k8s.io', 'x', undefined),
      objectOf('ValidatingWebhookConfiguration', { webhooks: [hook] }),
      MAPPED,
    ).webhooks;
    expect(webhooks).toEqual([{ clientConfig: { service: { name: 'hook', namespace: 'shop-copy' } } }]);
    const api = objectOf('APIService', { spec: { service: { name: 'api', namespace: 'shop' } } });
    expect(transformed(at('apiservices.apiregistration.k8s.io', 'x', undefined), api, MAPPED).spec).toEqual({
      service: { name: 'api', namespace: 'shop-copy' },
    });
  });
});

describe('a custom resource whose kind is that of a built-in type', () => {
  const options = { ...MAPPED, storageClassMapping: { fast: 'gp3' } };
  const spec = {
    service: { name: 'api', namespace: 'shop' },
    claimRef: { name: 'data', namespace: 'shop' },
    conversion: { webhook: { clientConfig: { service: { namespace: 'shop' } } } },
    storageClassName: 'fast',
    volumeClaimTemplates: [{ spec: { storageClassName: 'fast' } }],
  };
  it.each([
    ['Namespace', 'namespaces.example.com'],
    ['APIService', 'apiservices.example.com'],
    ['PersistentVolume', 'persistentvolumes.example.com'],
    ['PersistentVolumeClaim', 'persistentvolumeclaims.example.com'],
    ['CustomResourceDefinition', 'customresourcedefinitions.example.com'],
    ['StatefulSet', 'statefulsets.example.com'],
  ])('keeps its name and all of its spec: a %s of example.com', (kind, groupResource) => {
    const object = objectOf(kind, { spec: structuredClone(spec) }, { name: 'shop' });
    const mapped = transformed(at(groupResource, 'shop', undefined), object, options);
    expect([mapped.metadata.name, mapped.spec]).toEqual(['shop', spec]);
  });
});

describe('a storage class mapping', () => {
  const options = { storageClassMapping: { fast: 'gp3' } };
  it('changes claims, templates of claims, and the annotation of old ones', () => {
    const claim = objectOf('PersistentVolumeClaim', { spec: { storageClassName: 'fast' } });
    expect(transformed(at('persistentvolumeclaims'), claim, options).spec).toEqual({
      storageClassName: 'gp3',
    });
    const set = objectOf('StatefulSet', {
      spec: { volumeClaimTemplates: [{ spec: { storageClassName: 'fast' } }] },
    });
    expect(transformed(at('statefulsets.apps'), set, options).spec).toEqual({
      volumeClaimTemplates: [{ spec: { storageClassName: 'gp3' } }],
    });
    const beta = 'volume.beta.kubernetes.io/storage-class';
    const old = objectOf('PersistentVolumeClaim', { spec: {} }, { annotations: { [beta]: 'fast' } });
    expect(transformed(at('persistentvolumeclaims'), old, options).metadata.annotations).toEqual({
      [beta]: 'gp3',
    });
  });
  it('leaves other classes alone', () => {
    const claim = objectOf('PersistentVolumeClaim', { spec: { storageClassName: 'slow' } });
    expect(transformed(at('persistentvolumeclaims'), claim, options).spec).toEqual({
      storageClassName: 'slow',
    });
  });
});

describe('an image registry mapping', () => {
  const mapping = {
    'docker.io': 'mirror.internal/hub',
    'docker.io/library/redis': 'mirror.internal/redis',
    'quay.io/a/': 'mirror.internal/a/',
  };
  it.each([
    ['nginx', 'mirror.internal/hub/library/nginx'],
    ['nginx:1.29@sha256:abc', 'mirror.internal/hub/library/nginx:1.29@sha256:abc'],
    ['team/app:1', 'mirror.internal/hub/team/app:1'],
    ['docker.io/team/app', 'mirror.internal/hub/team/app'],
    ['docker.io/library/redis', 'mirror.internal/redis'],
    ['quay.io/a/b:1', 'mirror.internal/a/b:1'],
    ['quay.io/ab/c', 'quay.io/ab/c'],
    ['docker.io.evil.com/x', 'docker.io.evil.com/x'],
    ['localhost/x', 'localhost/x'],
  ])('takes %s to %s', (image, to) => {
    expect(mapImage(image, mapping)).toBe(to);
  });
  it('reaches every container of every workload', () => {
    const pod = { initContainers: [{ image: 'a' }], containers: [{ image: 'b' }] };
    const job = objectOf('CronJob', { spec: { jobTemplate: { spec: { template: { spec: pod } } } } });
    const text = JSON.stringify(
      transformed(at('cronjobs.batch'), job, { imageRegistryMapping: { 'docker.io': 'm' } }),
    );
    expect(text).toContain('"m/library/a"');
    expect(text).toContain('"m/library/b"');
  });
});

describe('a resource modifier', () => {
  const rule = (over: object): ResourceModifier =>
    ({ conditions: { groupResource: 'deployments.apps' }, ...over }) as ResourceModifier;
  const deploy = (rules: ResourceModifier[], labels = {}) =>
    transformed(
      at('deployments.apps', 'web'),
      objectOf('Deployment', { spec: { replicas: 3 } }, { labels }),
      {
        resourceModifiers: rules,
      },
    ).spec;
  it('patches by JSON patch and then by merge patch', () => {
    const patches = [{ op: 'replace' as const, path: '/spec/replicas', value: 1 }];
    expect(deploy([rule({ patches, mergePatches: [{ spec: { paused: true } }] })])).toEqual({
      replicas: 1,
      paused: true,
    });
  });
  it.each([
    [{ groupResource: 'statefulsets.apps' }],
    [{ groupResource: 'deployments.apps', resourceNameRegex: '^db' }],
    [{ groupResource: 'deployments.apps', namespaces: ['other-*'] }],
    [{ groupResource: 'deployments.apps', labelSelector: 'app=web' }],
  ])('leaves alone what %j does not name', (conditions) => {
    expect(deploy([rule({ conditions, mergePatches: [{ spec: null }] })])).toEqual({ replicas: 3 });
  });
  it('is not for an object whose test does not hold', () => {
    const patches = [
      { op: 'test' as const, path: '/spec/replicas', value: 9 },
      { op: 'remove' as const, path: '/spec/replicas' },
    ];
    expect(deploy([rule({ patches })])).toEqual({ replicas: 3 });
  });
  it('that does not fit names itself', () => {
    const patches = [{ op: 'remove' as const, path: '/spec/nothing' }];
    expect(() => deploy([rule({ patches })])).toThrow(/^resourceModifiers\[0\] cannot be applied/);
  });
});

describe('JSON without loss', () => {
  it('keeps integers beyond 2^53 as they were written, and strings that look like them', () => {
    const text = '{"n":9007199254740993,"m":-12345678901234567890,"s":"9007199254740993","f":[1.5,2]}';
    expect(JSON.stringify(parseLossless(text))).toBe(text);
  });
  it('is JSON.parse for everything else', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.stringify(parseLossless(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
  it('is compared with what the cluster has by value', () => {
    expect(
      differences(parseLossless('{"n":9007199254740993}'), JSON.parse('{"n":9007199254740993}')),
    ).toEqual([]);
  });
});

describe('a merge patch', () => {
  // The examples of RFC 7386, appendix A.
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('of %j by %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });
});
