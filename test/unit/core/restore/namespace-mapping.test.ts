import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { ArchivedName } from '../../../../functions/core/backup/archive.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import {
  mapNamespaces,
  targetOf,
  touchesMappedNamespace,
} from '../../../../functions/core/restore/namespace-mapping.ts';
import { namespaceReferences } from '../../../../functions/core/restore/namespace-references.ts';
import { transform } from '../../../../functions/core/restore/transform.ts';
import { at, objectOf } from '../../../support/archived.ts';
import { REFERRING } from '../../../support/referring-objects.ts';

const MAPPING = { shop: 'shop-copy' };
const MAPPED: RestoreOptions = { namespaceMapping: MAPPING };
const transformed = (where: ArchivedName, object: KubeObject, options = MAPPED) =>
  transform(where, object, options, { backup: 'b', restore: 'r' });
const exampleOf = (example: Partial<KubeObject>): KubeObject => ({
  metadata: { name: 'x' },
  ...structuredClone(example),
});

describe('a namespace mapping', () => {
  it('renames the Namespace with the label that has its name, and moves what is in it', () => {
    const labels = { 'kubernetes.io/metadata.name': 'shop', name: 'shop' };
    const space = transformed(
      at('namespaces', 'shop', undefined),
      objectOf('Namespace', {}, { name: 'shop', labels }),
    );
    expect(space.metadata).toMatchObject({
      name: 'shop-copy',
      labels: { 'kubernetes.io/metadata.name': 'shop-copy', name: 'shop' },
    });
    expect(
      transformed(at('configmaps'), objectOf('ConfigMap', {}, { namespace: 'shop' })).metadata.namespace,
    ).toBe('shop-copy');
    expect([
      targetOf(at('namespaces', 'shop', undefined), MAPPED).name,
      targetOf(at('pods'), MAPPED).namespace,
    ]).toEqual(['shop-copy', 'shop-copy']);
  });

  it('can swap two namespaces', () => {
    const options = { namespaceMapping: { a: 'b', b: 'a' } };
    const subjects = ['a', 'b', 'c'].map((namespace) => ({ kind: 'ServiceAccount', name: 'x', namespace }));
    const sent = transformed(
      at('rolebindings.rbac.authorization.k8s.io'),
      objectOf('RoleBinding', { subjects }),
      options,
    );
    expect((sent.subjects as { namespace: string }[]).map((s) => s.namespace)).toEqual(['b', 'a', 'c']);
  });

  it('names only its own namespaces, not what every object inherits', () => {
    expect(targetOf(at('pods', 'x', 'constructor'), MAPPED).namespace).toBe('constructor');
    const object = objectOf('ConfigMap', {}, { namespace: 'constructor' });
    expect(transformed(at('configmaps', 'x', 'constructor'), object).metadata.namespace).toBe('constructor');
  });

  it.each(REFERRING)('follows into %s at %i places, and no others', (groupResource, times, example) => {
    const before = JSON.stringify(exampleOf(example));
    const object = exampleOf(example);
    const names = namespaceReferences({ groupResource }, object).map(({ namespace }) => namespace);
    expect(names.filter((n) => n === 'shop')).toHaveLength(times);
    mapNamespaces({ groupResource }, object, { shop: 'SHOP2' });
    const after = JSON.stringify(object);
    expect(after.split('SHOP2')).toHaveLength(times + 1);
    expect(after.replaceAll('SHOP2', 'shop')).toBe(before);
  });

  it.each(REFERRING.filter(([type]) => !/pods|apps|batch/.test(type)))(
    'leaves the same fields of a custom resource alone: %s of example.com',
    (groupResource, _, example) => {
      const type = `${groupResource.split('.')[0]}.example.com`;
      const object = exampleOf(example);
      mapNamespaces({ groupResource: type }, object, MAPPING);
      expect(object).toEqual(exampleOf(example));
    },
  );

  it('follows into the manifest that kubectl compares with next time', () => {
    const manifest = (namespace: string) =>
      `${JSON.stringify({
        metadata: { name: 'web', namespace, annotations: {} },
        subjects: [{ kind: 'ServiceAccount', name: 'web', namespace }],
      })}\n`;
    const key = 'kubectl.kubernetes.io/last-applied-configuration';
    const binding = objectOf(
      'RoleBinding',
      {},
      { namespace: 'shop', annotations: { [key]: manifest('shop') } },
    );
    const sent = transformed(at('rolebindings.rbac.authorization.k8s.io'), binding);
    expect(sent.metadata.annotations?.[key]).toBe(manifest('shop-copy'));
  });

  it.each(['no JSON', '[]', '{"metadata":1}', '{"metadata":{"namespace":"other"}}  '])(
    'leaves a manifest alone that names nothing of it: %s',
    (text) => {
      const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': text };
      const sent = transformed(
        at('configmaps'),
        objectOf('ConfigMap', {}, { namespace: 'shop', annotations }),
      );
      expect(sent.metadata.annotations).toEqual(annotations);
    },
  );
});

describe('an object that refers to a mapped namespace', () => {
  it.each(REFERRING)('is known when it is not mapped itself: %s', (groupResource, _, example) => {
    const object = exampleOf(example);
    const touches = (namespace: string | undefined, mapping: Record<string, string>) =>
      touchesMappedNamespace({ ...at(groupResource), namespace }, object, mapping);
    expect(touches(undefined, MAPPING)).toBe(true);
    expect(touches('elsewhere', MAPPING)).toBe(true);
    expect(touches('shop', MAPPING)).toBe(false);
    expect(touches(undefined, { unrelated: 'x' })).toBe(false);
  });

  it('is never a Namespace, which gets a new name', () => {
    const space = objectOf('Namespace', {}, { name: 'shop' });
    expect(touchesMappedNamespace(at('namespaces', 'shop', undefined), space, MAPPING)).toBe(false);
  });
});
