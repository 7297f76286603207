import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { ArchivedName } from '../../../../functions/core/backup/archive.ts';
import { parseLossless } from '../../../../functions/core/bytes/lossless-json.ts';
import { mergePatch } from '../../../../functions/core/bytes/merge-patch.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { differences } from '../../../../functions/core/restore/compare.ts';
import { mapImage, transform } from '../../../../functions/core/restore/transform.ts';
import { at, objectOf } from '../../../support/archived.ts';

const ORIGIN = { backup: 'b', restore: 'r' };
const transformed = (where: ArchivedName, object: KubeObject, options: RestoreOptions) =>
  transform(where, object, options, ORIGIN);
const MAPPED = { namespaceMapping: { shop: 'shop-copy' } };

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
  it('is compared with what the cluster has by all its digits', () => {
    const n = (digits: string) => parseLossless(`{"n":${digits}}`);
    expect(differences(n('9007199254740993'), n('9007199254740993'))).toEqual([]);
    expect(differences(n('9007199254740993'), n('9007199254740992'))).toEqual(['n']);
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
