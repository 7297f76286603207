import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject, ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { sleep, until } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { anything, configMap, namespace, podSpec, workload } from '../support/dirty-manifests.ts';

// Objects that a tenant or an old tool left as they are: odd ones cost themselves alone, and what comes is usable.
const pipeline = new Pipeline();
const { api } = pipeline;
const used = new Set<string>();
const use = (...names: string[]) => {
  for (const name of names) used.add(name);
};
const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';
const things = (kind: string): ResourceType => ({
  group: 'old.tenants.test',
  version: 'v1',
  resource: `${kind.toLowerCase()}s`,
  kind,
  namespaced: true,
});
const two = (version: string, storage: boolean, scope: string, other: string) => ({
  name: version,
  served: true,
  storage,
  schema: {
    openAPIV3Schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { scope: { type: 'string', enum: [scope, other], default: scope } },
        },
      },
    },
  },
});
/** As Crossplane's: stored as v1, read as the preferred v2, whose schema does not take it. */
const XRDS: KubeObject = {
  ...anything('xrds', 'tenants.test', 'Xrd'),
  spec: {
    ...anything('xrds', 'tenants.test', 'Xrd').spec,
    versions: [two('v1', true, 'LegacyCluster', 'Cluster'), two('v2', false, 'Namespaced', 'Cluster')],
  },
};
const DEFINITIONS = [
  XRDS,
  anything('machines', 'tenants.test', 'Machine'),
  anything('gadgets', 'taken.tenants.test', 'Gadget'),
];

beforeAll(async () => {
  await pipeline.open();
  await api.create(DEFINITIONS);
});
afterAll(async () => {
  await api.gone(...used);
  await api.remove(
    `${CRDS} gizmos.taken.tenants.test`,
    `${CRDS} things.old.tenants.test`,
    ...DEFINITIONS.map((d) => `${CRDS} ${d.metadata.name}`),
  );
  await pipeline.close();
});

describe.concurrent('a restore', () => {
  it('brings back what was stored in a version that is not preferred', async () => {
    use('tenant-two');
    await api.create(`${namespace('tenant-two')}
apiVersion: tenants.test/v1
kind: Xrd
metadata: { name: legacy, namespace: tenant-two }
spec: {}
`);
    const point = await pipeline.backup(['tenant-two']);
    expect((await pipeline.restore(point)).wrong).toEqual([]);
    await api.gone('tenant-two');
    const restored = await pipeline.restore(point);
    expect((await api.get('xrds.tenants.test tenant-two/legacy')).spec).toEqual({ scope: 'LegacyCluster' });
    expect(restored.wrong).toEqual([]);
  });

  it('takes odd fields of a custom resource for what they are, and its neighbours with it', async () => {
    use('tenant-odd');
    const odd = [
      { spec: { template: { spec: { containers: 'none' } } } },
      {
        spec: { template: { spec: { containers: [null, 7], volumes: { a: 1 } } } },
        webhooks: 'x',
        subjects: 3,
      },
      { spec: { n: { '@': 1 }, ports: 'all' }, status: 'fine', data: [null] },
      { rules: 5, roleRef: [], webhooks: [null], items: {} },
    ];
    await api.create(`${namespace('tenant-odd')}${configMap('tenant-odd/neighbour', '{ a: "1" }')}`);
    await api.create(
      odd.map(
        (fields, i) =>
          ({
            apiVersion: 'tenants.test/v1',
            kind: 'Machine',
            metadata: { name: `m${i}`, namespace: 'tenant-odd' },
            ...fields,
          }) as KubeObject,
      ),
    );
    const big =
      '{"apiVersion":"tenants.test/v1","kind":"Machine","metadata":{"name":"big"},"spec":{"n":9007199254740993,"text":"a"}}';
    await api.client.call('POST', '/apis/tenants.test/v1/namespaces/tenant-odd/machines', { body: big });
    const point = await pipeline.backup(['tenant-odd']);
    expect(point.record.phase).toBe('Completed');
    await api.gone('tenant-odd');
    const resourceModifiers = [
      {
        conditions: { groupResource: 'machines.tenants.test', resourceNameRegex: 'big' },
        patches: [{ op: 'copy' as const, from: '/spec/n', path: '/spec/m' }],
      },
    ];
    const restored = await pipeline.restore(point, { resourceModifiers });
    expect(restored.wrong).toEqual([]);
    const { body } = await api.client.call('GET', await api.path('machines.tenants.test tenant-odd/big'));
    expect(body.toString()).toContain('"m":9007199254740993,"n":9007199254740993');
    expect((await api.get('machines.tenants.test tenant-odd/m0')).spec).toEqual(odd[0]?.spec);
  });

  it('loses nothing but a definition that is never established, and its objects', async () => {
    use('tenant-crd');
    const metadata = (name: string) => ({ name, namespace: 'tenant-crd' });
    const gizmos = {
      group: 'taken.tenants.test',
      version: 'v1',
      resource: 'gizmos',
      kind: 'Gadget',
      namespaced: true,
    };
    const configMaps = { ...TYPES.secrets, resource: 'configmaps', kind: 'ConfigMap' };
    const point = await pipeline.pointOf(
      [
        [TYPES.customResourceDefinitions, anything('gizmos', 'taken.tenants.test', 'Gadget')], // the kind is taken
        [TYPES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tenant-crd' } }],
        [gizmos, { apiVersion: 'taken.tenants.test/v1', kind: 'Gadget', metadata: metadata('g') }],
        [configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('one'), data: { a: '1' } }],
      ],
      ['tenant-crd'],
    );
    const restored = await pipeline.restore(point, { waitSeconds: 3 });
    expect(restored.results('configmaps tenant-crd/one', 'gizmos.taken.tenants.test tenant-crd/g')).toEqual([
      'created',
      'failed',
    ]);
    expect(restored.phase).toBe('PartiallyFailed');
    expect([...restored.with('failed'), ...restored.notReady, ...restored.differing].join('\n')).toMatch(
      /gizmos\.taken\.tenants\.test.*(established|NamesAccepted|Gadget)/,
    );
  });

  it('makes a definition of former times valid, and its objects', async () => {
    use('tenant-old');
    const definition = anything('things', 'old.tenants.test', 'Thing');
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
    const spec = {
      ...definition.spec,
      conversion: { strategy: 'None' },
      preserveUnknownFields: true,
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    };
    const point = await pipeline.pointOf(
      [
        [TYPES.customResourceDefinitions, { ...definition, spec }],
        [TYPES.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tenant-old' } }],
        [
          things('Thing'),
          {
            apiVersion: 'old.tenants.test/v1',
            kind: 'Thing',
            metadata: { name: 'one', namespace: 'tenant-old' },
            spec: { anything: { deep: [1, 2] } },
          },
        ],
      ],
      ['tenant-old'],
    );
    const restored = await pipeline.restore(point);
    expect((await api.find('things.old.tenants.test tenant-old/one'))?.spec).toEqual({
      anything: { deep: [1, 2] },
    });
    expect(restored.wrong).toEqual([]);
  });

  it('waits for a namespace that is being deleted', async () => {
    use('tenant-ending');
    await api.create(
      `${namespace('tenant-ending')}${configMap('tenant-ending/one', '{ a: "1" }')}${configMap('tenant-ending/slow', '{ a: "1" }', 'finalizers: [tenants.test/slow], labels: { slow: "yes" }')}`,
    );
    const point = await pipeline.backup(['tenant-ending'], { labelSelector: 'slow!=yes' });
    await api.remover('namespaces tenant-ending');
    await until('it is emptied', async () => !(await api.find('configmaps tenant-ending/one')));
    const ended = sleep(20_000).then(() =>
      api.patch('configmaps tenant-ending/slow', { metadata: { finalizers: null } }),
    );
    const restored = await pipeline.restore(point, { waitSeconds: 120 });
    await ended;
    expect(restored.results('configmaps tenant-ending/one')).toEqual(['created']);
    expect(restored.wrong).toEqual([]);
  });

  it('says what still ends when the time is up', async () => {
    use('tenant-stuck');
    await api.create(
      `${namespace('tenant-stuck')}${configMap('tenant-stuck/one', '{ a: "1" }')}${configMap('tenant-stuck/slow', '{ a: "1" }', 'finalizers: [tenants.test/slow], labels: { slow: "yes" }')}`,
    );
    const point = await pipeline.backup(['tenant-stuck'], { labelSelector: 'slow!=yes' });
    await api.remover('namespaces tenant-stuck');
    await until('it is emptied', async () => !(await api.find('configmaps tenant-stuck/one')));
    const restored = await pipeline.restore(point, { waitSeconds: 3 });
    await api.patch('configmaps tenant-stuck/slow', { metadata: { finalizers: null } });
    expect(restored.results('configmaps tenant-stuck/one')).toEqual(['failed']);
    expect(restored.reason('configmaps tenant-stuck/one')).toMatch(/terminat|deleted/i);
  });
});

describe.concurrent('a backup', () => {
  it('of a namespace that is being deleted is PartiallyFailed', async () => {
    use('tenant-dying');
    await api.create(
      `${namespace('tenant-dying')}${configMap('tenant-dying/slow', '{ a: "1" }', 'finalizers: [tenants.test/slow]')}`,
    );
    await api.remover('namespaces tenant-dying');
    const point = await pipeline.backup(['tenant-dying']);
    await api.patch('configmaps tenant-dying/slow', { metadata: { finalizers: null } });
    expect(point.record.phase).toBe('PartiallyFailed');
    expect(point.record.reasons.join()).toMatch(/tenant-dying/);
  });

  it('by types takes the Namespace along, and waits for no volume', async () => {
    use('tenant-types');
    await api.create(`${namespace('tenant-types', '{ pod-security.kubernetes.io/enforce: restricted }')}${configMap('tenant-types/one', '{ a: "1" }')}
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data, namespace: tenant-types }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
`);
    const point = await pipeline.backup(['tenant-types'], { includedResources: ['configmaps'] });
    expect(point.record.phase).toBe('Completed');
    await api.gone('tenant-types');
    const restored = await pipeline.restore(point);
    expect(restored.results('configmaps tenant-types/one')).toEqual(['created']);
    expect((await api.get('namespaces tenant-types')).metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(restored.wrong).toEqual([]);
  });

  it('with a label selector brings what the selected pods name, or does not call itself Completed', async () => {
    use('tenant-selector');
    await api.create(`${namespace('tenant-selector')}
apiVersion: v1
kind: ServiceAccount
metadata: { name: one, namespace: tenant-selector }
---
apiVersion: v1
kind: Secret
metadata: { name: one-key, namespace: tenant-selector }
stringData: { k: v }
---${workload('Deployment', 'tenant-selector/one', 'replicas: 1,', podSpec(', envFrom: [{ secretRef: { name: one-key } }]', 'serviceAccountName: one,'), '{ app: one }')}${workload('Deployment', 'tenant-selector/two')}`);
    const ready = async () =>
      (await api.get('deployments.apps tenant-selector/one')).status?.readyReplicas === 1;
    await until('one is ready', ready);
    const point = await pipeline.backup(['tenant-selector']);
    await api.gone('tenant-selector');
    const one = await pipeline.restore(point, { labelSelector: 'app=one' });
    expect(await ready()).toBe(true);
    expect(one.wrong).toEqual([]);
    expect(await api.find('deployments.apps tenant-selector/two')).toBeUndefined();
    await api.gone('tenant-selector');
    const two = await pipeline.restore(point, { labelSelector: 'app=two' }, { readySeconds: 3 });
    expect(two.phase !== 'Completed' || (await api.list('pods', 'tenant-selector')).length > 0).toBe(true);
  });
});
