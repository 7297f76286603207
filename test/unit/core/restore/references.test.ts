import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../../../functions/contract/restore-options.ts';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { aliasesOf, referencesOf } from '../../../../functions/core/restore/references.ts';
import { at } from '../../../support/archived.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';

const RBAC = 'rbac.authorization.k8s.io';
const refs = (type: string, body: object, metadata: object = {}) =>
  referencesOf(at(type), { metadata: { name: 'x', ...metadata }, ...body } as KubeObject).sort();

const SPEC = {
  serviceAccountName: 'web',
  imagePullSecrets: [{ name: 'registry' }],
  priorityClassName: 'high',
  runtimeClassName: 'gvisor',
  resourceClaims: [{ resourceClaimName: 'gpu' }, { resourceClaimTemplateName: 'gpus' }],
  volumes: [
    { secret: { secretName: 'tls' } },
    { configMap: { name: 'settings' } },
    { persistentVolumeClaim: { claimName: 'data' } },
    { csi: { driver: 'd', nodePublishSecretRef: { name: 'csi' } } },
    { cephfs: { secretRef: { name: 'ceph' } } },
    { azureFile: { secretName: 'azure' } },
    { projected: { sources: [{ secret: { name: 'p1' } }, { configMap: { name: 'p2' } }] } },
    { ephemeral: { volumeClaimTemplate: { spec: { storageClassName: 'scratch' } } } },
    { emptyDir: {} },
  ],
  initContainers: [{ envFrom: [{ configMapRef: { name: 'init' } }] }],
  containers: [
    {
      envFrom: [{ secretRef: { name: 'env' } }],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'key', key: 'k' } } },
        { name: 'C', valueFrom: { configMapKeyRef: { name: 'map', key: 'k' } } },
      ],
    },
  ],
};
const OF_SPEC = [
  ...['init', 'map', 'p2', 'settings'].map((n) => `configmaps/shop/${n}`),
  'persistentvolumeclaims/shop/data',
  'priorityclasses.scheduling.k8s.io//high',
  'resourceclaims.resource.k8s.io/shop/gpu',
  'resourceclaimtemplates.resource.k8s.io/shop/gpus',
  'runtimeclasses.node.k8s.io//gvisor',
  ...['azure', 'ceph', 'csi', 'env', 'key', 'p1', 'registry', 'tls'].map((n) => `secrets/shop/${n}`),
  'serviceaccounts/shop/web',
  'storageclasses.storage.k8s.io//scratch',
].sort();

describe('the references of an object', () => {
  it.each([
    ['pods', { spec: SPEC }],
    ['deployments.apps', { spec: { template: { spec: SPEC } } }],
    ['cronjobs.batch', { spec: { jobTemplate: { spec: { template: { spec: SPEC } } } } }],
    ['rollouts.argoproj.io', { spec: { template: { spec: SPEC } } }],
  ])('of type %s are what its pods name', (type, body) => {
    expect(refs(type, body)).toEqual(OF_SPEC);
  });

  it('of pods without an account are the default one', () => {
    expect(refs('pods', { spec: { containers: [] } })).toEqual(['serviceaccounts/shop/default']);
  });

  it.each<[string, object, string[]]>([
    [
      'persistentvolumeclaims',
      { spec: { storageClassName: 'fast', volumeName: 'pv' } },
      ['persistentvolumes//pv', 'storageclasses.storage.k8s.io//fast'],
    ],
    [`rolebindings.${RBAC}`, { roleRef: { kind: 'Role', name: 'r' } }, [`roles.${RBAC}/shop/r`]],
    [`rolebindings.${RBAC}`, { roleRef: { kind: 'ClusterRole', name: 'r' } }, [`clusterroles.${RBAC}//r`]],
    [
      'ingresses.networking.k8s.io',
      {
        spec: {
          ingressClassName: 'nginx',
          tls: [{ secretName: 'tls' }],
          rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }],
        },
      },
      ['ingressclasses.networking.k8s.io//nginx', 'secrets/shop/tls', 'services/shop/web'],
    ],
    [
      'storageclasses.storage.k8s.io',
      {
        parameters: {
          'csi.storage.k8s.io/provisioner-secret-name': 's',
          'csi.storage.k8s.io/provisioner-secret-namespace': 'storage',
        },
      },
      ['secrets/storage/s'],
    ],
    ['deployments.example.com', { spec: { ingressClassName: 'x', volumeName: 'pv' } }, []],
  ])('of type %s: %j', (type, body, expected) => {
    expect(refs(type, body)).toEqual(expected);
  });

  it('may have any type in any field: none of them throws', () => {
    const types = fc.constantFrom(
      'pods',
      'statefulsets.apps',
      'persistentvolumes',
      'persistentvolumeclaims',
      'serviceaccounts',
      'ingresses.networking.k8s.io',
      'gateways.gateway.networking.k8s.io',
      'storageclasses.storage.k8s.io',
      'resourceclaims.resource.k8s.io',
      `clusterroles.${RBAC}`,
      `rolebindings.${RBAC}`,
    );
    const odd = fc.jsonValue({ maxDepth: 4 });
    const field = fc.constantFrom('spec', 'roleRef', 'subjects', 'secrets', 'parameters', 'aggregationRule');
    const inner = fc.constantFrom(
      'containers',
      'volumes',
      'tls',
      'rules',
      'devices',
      'listeners',
      'template',
    );
    fc.assert(
      fc.property(types, field, inner, odd, odd, (type, f, i, value, labels) => {
        for (const body of [{ [f]: value }, { [f]: { [i]: value } }, { [f]: { [i]: [value] } }]) {
          const object = { metadata: { name: 'x', labels, annotations: labels }, ...body } as KubeObject;
          expect(() => [referencesOf(at(type), object), aliasesOf(at(type), object)]).not.toThrow();
        }
      }),
    );
  });
});

describe('a part of a recovery point', () => {
  const inShop = (type: string, name: string, body: object = {}, labels: object = {}): Stored => [
    at(type, name),
    { metadata: { name, namespace: 'shop', labels }, ...body },
  ];
  const inCluster = (type: string, name: string, body: object = {}, labels: object = {}): Stored => [
    { ...at(type, name), namespace: undefined },
    { metadata: { name, labels }, ...body },
  ];
  const subject = (name: string, namespace = 'shop') => ({ kind: 'ServiceAccount', name, namespace });
  const binding = (name: string, role: string, ...subjects: object[]) =>
    inCluster(`clusterrolebindings.${RBAC}`, name, {
      roleRef: { kind: 'ClusterRole', name: role },
      subjects,
    });
  const role = (name: string, body: object = {}, labels: object = {}) =>
    inCluster(`clusterroles.${RBAC}`, name, body, labels);
  const names = (things: readonly Stored[], options: RestoreOptions, isFiltered = false) =>
    planOfObjects(things, { options, isFiltered, namespaces: ['shop', 'quiet'] })
      .map((i) => i.name)
      .sort();

  const POINT: readonly Stored[] = [
    inCluster('namespaces', 'shop'),
    inCluster('namespaces', 'quiet'),
    inShop('serviceaccounts', 'one', { imagePullSecrets: [{ name: 'one-pull' }] }),
    inShop('secrets', 'one-pull'),
    inShop('secrets', 'one-key'),
    inShop('secrets', 'unused'),
    inShop(
      'statefulsets.apps',
      'one',
      {
        spec: {
          replicas: 0,
          volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { storageClassName: 'fast' } }],
          template: {
            spec: {
              serviceAccountName: 'one',
              containers: [{ envFrom: [{ secretRef: { name: 'one-key' } }] }],
            },
          },
        },
      },
      { app: 'one' },
    ),
    inShop('persistentvolumeclaims', 'data-one-0', { spec: { storageClassName: 'fast' } }),
    inShop('persistentvolumeclaims', 'data-one-11', { spec: { storageClassName: 'fast' } }),
    inShop('persistentvolumeclaims', 'data-two-0', { spec: { storageClassName: 'slow' } }),
    inShop('deployments.apps', 'two', { spec: { template: { spec: { containers: [] } } } }),
    inShop('widgets.example.com', 'wheel', {}, { app: 'one' }),
    inShop(`rolebindings.${RBAC}`, 'one-reads', {
      roleRef: { kind: 'Role', name: 'reads' },
      subjects: [subject('one')],
    }),
    inShop(`roles.${RBAC}`, 'reads'),
    inCluster('customresourcedefinitions.apiextensions.k8s.io', 'widgets.example.com'),
    inCluster('customresourcedefinitions.apiextensions.k8s.io', 'gadgets.example.com'),
    inCluster('storageclasses.storage.k8s.io', 'fast'),
    inCluster('storageclasses.storage.k8s.io', 'slow'),
    binding('one-lists', 'lists', subject('one')),
    binding('of-another', 'other', subject('one', 'elsewhere')),
    binding('revoked', 'other', { kind: 'Group', name: 'devs' }),
    binding('all-of-shop', 'lists', { kind: 'Group', name: 'system:serviceaccounts:shop' }),
    binding('as-user', 'lists', { kind: 'User', name: 'system:serviceaccount:shop:one' }),
    role('lists', { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'lists' } }] } }),
    role('part', {}, { part: 'lists' }),
    role('other'),
  ];
  const OF_ONE = [
    'all-of-shop',
    'as-user',
    'data-one-0',
    'data-one-11',
    'fast',
    'lists',
    'one',
    'one',
    'one-key',
    'one-lists',
    'one-pull',
    'one-reads',
    'part',
    'reads',
    'shop',
    'wheel',
    'widgets.example.com',
  ];

  it('by label takes along what the selected objects need, and nothing else', () => {
    expect(names(POINT, { labelSelector: 'app=one' })).toEqual(OF_ONE);
    expect(names(POINT, { orLabelSelectors: ['app=one'] })).toEqual(OF_ONE);
  });

  it('by namespace takes along the cluster-scoped objects that its objects need, and no others', () => {
    const got = names(POINT, {}, true);
    expect(got).toEqual([...OF_ONE, 'data-two-0', 'quiet', 'slow', 'two', 'unused'].sort());
  });

  it('by namespace has all cluster-scoped objects, or none, when that is said', () => {
    expect(names(POINT, { includeClusterResources: true }, true)).toHaveLength(POINT.length);
    const none = names(POINT, { includeClusterResources: false }, true);
    for (const name of ['fast', 'lists', 'widgets.example.com', 'revoked']) expect(none).not.toContain(name);
  });

  it('by type takes along Namespaces and definitions, and leaves other namespaces out', () => {
    expect(names(POINT, { includedResources: ['widgets.example.com'] })).toEqual([
      'shop',
      'wheel',
      'widgets.example.com',
    ]);
    expect(names(POINT, { includedResources: ['deployments.apps'], labelSelector: 'app=one' })).toEqual([]);
  });

  it('keeps to the excluded types in what it takes along', () => {
    const got = names(POINT, { labelSelector: 'app=one', excludedResources: ['secrets'] });
    expect(got).not.toContain('one-key');
  });

  it('brings a pod whose owner was not selected', () => {
    const reference = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'two-1',
      uid: 'u1',
      controller: true,
    };
    const things: Stored[] = [
      [
        at('pods', 'two-1-x'),
        { metadata: { name: 'two-1-x', labels: { app: 'two' }, ownerReferences: [reference] } },
      ],
      [at('replicasets.apps', 'two-1'), { metadata: { name: 'two-1', uid: 'u1' } }],
    ];
    const items = planOfObjects(things, { options: { labelSelector: 'app=two' } });
    expect(items.find((i) => i.name === 'two-1-x')?.action).toBe('create');
    expect(items.some((i) => i.name === 'two-1')).toBe(false);
  });

  it('never has an object that the whole has not, and the whole has every one of them', () => {
    const selections = fc.record(
      {
        labelSelector: fc.constantFrom('app=one', 'app', '!app', 'app=none'),
        includedResources: fc.subarray(['secrets', 'statefulsets.apps', '*.apps', 'widgets.example.com']),
        excludedResources: fc.subarray(['secrets', 'namespaces', `clusterroles.${RBAC}`]),
        includeClusterResources: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    const whole = new Set(names(POINT, {}));
    fc.assert(
      fc.property(selections, fc.boolean(), (options, isFiltered) => {
        const part = names(POINT, options, isFiltered);
        for (const name of part) expect(whole).toContain(name);
        const excluded = options.excludedResources ?? [];
        if (excluded.includes('secrets')) expect(part).not.toContain('one-key');
        if (options.includeClusterResources === false) expect(part).not.toContain('lists');
      }),
    );
    expect(whole.size).toBe(new Set(POINT.map(([where]) => where.name)).size);
  });
});
