import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import { copyOf, parseLossless } from '../../../../functions/core/bytes/lossless-json.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { touchesMappedNamespace } from '../../../../functions/core/restore/namespace-mapping.ts';
import { transform } from '../../../../functions/core/restore/transform.ts';
import { at } from '../../../support/archived.ts';
import { REFERRING } from '../../../support/referring-objects.ts';

const OPTIONS: RestoreOptions = {
  namespaceMapping: { shop: 'copy' },
  storageClassMapping: { fast: 'slow' },
  imageRegistryMapping: { 'docker.io': 'mirror' },
  resourceModifiers: [
    { conditions: { groupResource: '*', labelSelector: '!absent' }, mergePatches: [{ spec: { x: 1 } }] },
  ],
};
const send = (groupResource: string, object: KubeObject, options = OPTIONS) =>
  transform(at(groupResource), object, options, { backup: 'b', restore: 'r' });

const pod = {
  nodeName: 'n',
  volumes: [{ name: 'kube-api-access-x' }],
  containers: [{ image: 'a', volumeMounts: [{ name: 'kube-api-access-x' }] }],
  initContainers: [{ image: 'a' }],
};
/** Objects with every field that a restore reads. */
const WHOLE: [string, Partial<KubeObject>][] = [
  ...REFERRING.map(([type, , object]): [string, Partial<KubeObject>] => [type, object]),
  ['pods', { kind: 'Pod', spec: pod }],
  ['deployments.apps', { kind: 'Deployment', spec: { template: { spec: pod } } }],
  [
    'statefulsets.apps',
    {
      spec: { volumeClaimTemplates: [{ metadata: { annotations: {} }, spec: { storageClassName: 'fast' } }] },
    },
  ],
  [
    'services',
    { spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80, nodePort: 1 }] } },
  ],
  [
    'jobs.batch',
    { spec: { selector: { matchLabels: {} }, template: { metadata: { labels: {} }, spec: pod } } },
  ],
  ['secrets', { type: 'kubernetes.io/service-account-token', data: { token: 't' } }],
  ['persistentvolumeclaims', { spec: { storageClassName: 'fast', volumeName: 'v' } }],
  ['persistentvolumes', { spec: { claimRef: { namespace: 'shop', uid: 'u' } } }],
  ['namespaces', { spec: { finalizers: ['kubernetes'] } }],
  [
    'customresourcedefinitions.apiextensions.k8s.io',
    {
      spec: {
        preserveUnknownFields: true,
        versions: [{ schema: { openAPIV3Schema: { properties: { a: { items: {} } } } } }],
      },
    },
  ],
];
const metadata = {
  name: 'x',
  namespace: 'shop',
  labels: { 'kubernetes.io/metadata.name': 'shop' },
  annotations: {
    'kubectl.kubernetes.io/last-applied-configuration': '{"metadata":{},"spec":{"ports":[{"nodePort":1}]}}',
  },
  finalizers: ['orphan'],
  ownerReferences: [],
  managedFields: [
    { manager: 'm', fieldsV1: { 'f:spec': { 'f:ports': { 'k:{"port":80}': { 'f:nodePort': {} } } } } },
  ],
};

/** Every place of an object below its name, as keys. */
const placesOf = (value: unknown, path: string[] = []): string[][] =>
  value === null || typeof value !== 'object'
    ? []
    : Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...placesOf(inner, [...path, key])]);

function withOdd(object: KubeObject, path: readonly string[], odd: unknown): void {
  const parent = path.slice(0, -1).reduce<unknown>((o, key) => (o as Record<string, unknown>)[key], object);
  (parent as Record<string, unknown>)[path.at(-1) as string] = odd;
}

describe('an object with a field of another type than its schema says', () => {
  const ODD = [null, 1, true, 'text', [], {}, [null], [[1]], ['text'], { a: null }, { 0: 'a' }];

  it.each(WHOLE)('is sent as it is, for the API server to judge: %s', (groupResource, body) => {
    const whole = { ...structuredClone(body), metadata: { ...metadata, ...body.metadata } } as KubeObject;
    for (const path of placesOf(whole))
      for (const odd of [...ODD, parseLossless('9007199254740993')]) {
        // A body without metadata or a name is refused before.
        if (path.join('/') === 'metadata' || path.join('/') === 'metadata/name') continue;
        const object = structuredClone(whole);
        withOdd(object, path, copyOf(odd));
        touchesMappedNamespace({ ...at(groupResource), namespace: undefined }, object, { shop: 'copy' });
        expect(send(groupResource, object).metadata.name, path.join('/')).toBe(whole.metadata.name);
      }
  });

  it('is sent whatever a custom resource’s spec is', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom('Namespace', 'Service', 'Job', 'Deployment'),
        (spec, kind) => {
          const object = { kind, metadata: { name: 'x' }, spec: structuredClone(spec) } as KubeObject;
          expect(send('things.example.com', object, { namespaceMapping: { shop: 'copy' } }).spec).toEqual(
            spec,
          );
        },
      ),
    );
  });
});
