import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { until } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { anything, configMap, namespace } from '../support/dirty-manifests.ts';

// What silently did not come back: everything here is lost with its namespace, and restored by default.
const pipeline = new Pipeline();
const { api } = pipeline;
const used = new Set<string>();
/** Namespaces of a case, without what an earlier run left in them. */
const use = (...names: string[]) => {
  for (const name of names) used.add(name);
};
const BUILT_IN_KINDS: [string, string, object][] = [
  ['buses', 'Namespace', { sku: 'Premium', finalizers: ['mine'], zoneRedundant: true }],
  ['svcs', 'Service', { clusterIP: '10.0.0.7', ports: { http: 80 }, healthCheckNodePort: 7 }],
  ['works', 'Job', { selector: { matchLabels: { 'controller-uid': 'mine' } }, template: { x: 1 } }],
  ['deps', 'Deployment', { replicas: 2, cluster: 'blue' }],
  ['capsules', 'Pod', { nodeName: 'rack-7', priority: 3, volumes: [] }],
  ['stores', 'PersistentVolumeClaim', { volumeName: 'lun-0', size: 4 }],
  ['groups', 'Role', { rules: 'none', verbs: ['*'] }],
  ['doors', 'Ingress', { rules: { host: 'x' }, tls: true }],
  ['sets', 'StatefulSet', { replicas: 3, volumeClaimTemplates: { a: 1 } }],
  ['odd', 'CronJob', { jobTemplate: { spec: { template: { spec: { containers: { a: 1 } } } } } }],
];
const plural = (kind: string) => BUILT_IN_KINDS.find(([, k]) => k === kind)?.[0] as string;
const DEFINITIONS = [
  anything('databases', 'lost.test', 'Database'),
  anything('workflows', 'lost.test', 'Workflow'),
  anything('runs', 'lost.test', 'Run', { subresources: { status: {} } }),
  ...BUILT_IN_KINDS.map(([resource, kind]) => anything(resource, 'kinds.lost.test', kind)),
  {
    ...anything('tenants', 'lost.test', 'Tenant'),
    spec: { ...anything('tenants', 'lost.test', 'Tenant').spec, scope: 'Cluster' },
  },
];

beforeAll(async () => {
  await pipeline.open();
  await api.create(DEFINITIONS);
});
afterAll(async () => {
  await api.gone(...used);
  await api.remove(
    'tenants.lost.test acme',
    ...DEFINITIONS.map((d) => `customresourcedefinitions.apiextensions.k8s.io ${d.metadata.name}`),
  );
  await pipeline.close();
});

describe.concurrent('a namespace that was lost', () => {
  it('brings back what a custom resource owns: Secrets, ConfigMaps, composed resources', async () => {
    use('lost-owned');
    await api.create(`${namespace('lost-owned')}
apiVersion: lost.test/v1
kind: Database
metadata: { name: main, namespace: lost-owned }
spec: { size: 1 }
---
apiVersion: lost.test/v1
kind: Tenant
metadata: { name: acme }
`);
    const owner = async (ref: string, apiVersion: string, kind: string) => {
      const { name, uid } = (await api.get(ref)).metadata;
      return `ownerReferences: [{ apiVersion: ${apiVersion}, kind: ${kind}, name: ${name}, uid: ${uid}, controller: true, blockOwnerDeletion: true }]`;
    };
    const database = await owner('databases.lost.test lost-owned/main', 'lost.test/v1', 'Database');
    const tenant = await owner('tenants.lost.test acme', 'lost.test/v1', 'Tenant');
    await api.create(`
apiVersion: v1
kind: Secret
metadata: { name: main-password, namespace: lost-owned, ${database} }
stringData: { password: first-and-only }
---${configMap('lost-owned/main-ca', '{ ca: pem }', database)}
apiVersion: lost.test/v1
kind: Database
metadata: { name: composed, namespace: lost-owned, ${database}, annotations: { crossplane.io/external-name: rds-1234 } }
spec: { size: 1 }
---${configMap('lost-owned/quota', '{ cpu: "4" }', tenant)}`);
    const point = await pipeline.backup(['lost-owned']);
    await api.gone('lost-owned');
    const all = [
      'databases.lost.test lost-owned/main',
      'secrets lost-owned/main-password',
      'configmaps lost-owned/main-ca',
      'databases.lost.test lost-owned/composed',
      'configmaps lost-owned/quota',
    ];
    const restored = await pipeline.restore(point);
    expect(restored.results(...all)).toEqual(all.map(() => 'created'));
    expect(restored.wrong).toEqual([]);
    // A controller that collects garbage must not take them away again.
    const main = await api.get('databases.lost.test lost-owned/main');
    const owners = async (ref: string) =>
      ((await api.get(ref)).metadata.ownerReferences ?? []).map((o) => o.uid);
    for (const ref of all.slice(1, 4)) expect([[], [main.metadata.uid]]).toContainEqual(await owners(ref));
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await api.get('secrets lost-owned/main-password')).data).toEqual({
      password: btoa('first-and-only'),
    });
    await api.gone('lost-owned');
    const secrets = await pipeline.restore(point, { includedResources: ['secrets'] });
    expect(secrets.results('secrets lost-owned/main-password')).toEqual(['created']);
  });

  it('brings back every field of custom resources whose kind is that of a built-in type', async () => {
    use('lost-kinds', 'lost-kinds-copy');
    const name = (kind: string) => (kind === 'Namespace' ? 'lost-kinds' : 'thing');
    await api.create(namespace('lost-kinds'));
    await api.create(
      BUILT_IN_KINDS.map(([, kind, spec]) => ({
        apiVersion: 'kinds.lost.test/v1',
        kind,
        metadata: { name: name(kind), namespace: 'lost-kinds' },
        spec: spec as Record<string, unknown>,
      })),
    );
    const point = await pipeline.backup(['lost-kinds']);
    await api.gone('lost-kinds');
    const restored = await pipeline.restore(point, {}, { readySeconds: 4 });
    const specs = await Promise.all(
      BUILT_IN_KINDS.map(
        async ([resource, kind]) =>
          (await api.find(`${resource}.kinds.lost.test lost-kinds/${name(kind)}`))?.spec,
      ),
    );
    expect(specs).toEqual(BUILT_IN_KINDS.map(([, , spec]) => spec));
    expect(restored.wrong).toEqual([]);
    const mapped = await pipeline.restore(point, {
      namespaceMapping: { 'lost-kinds': 'lost-kinds-copy' },
      includedResources: [`${plural('Namespace')}.kinds.lost.test`],
    });
    expect(mapped.results('buses.kinds.lost.test lost-kinds-copy/lost-kinds')).toEqual(['created']);
  });

  it('is not at odds with the manager that applied it server-side', async () => {
    use('lost-managers');
    const settings = (data: string) => configMap('lost-managers/settings', data);
    const service = (port: number) => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: lost-managers }
spec: { selector: { app: web }, ports: [{ name: http, port: ${port} }] }`;
    await api.create(namespace('lost-managers'));
    await api.apply(settings('{ color: blue, old: "yes" }'), 'gitops');
    await api.apply(settings('{ size: "3" }'), 'operator');
    await api.apply(service(80), 'gitops');
    const point = await pipeline.backup(['lost-managers']);
    await api.gone('lost-managers');
    expect((await pipeline.restore(point)).wrong).toEqual([]);
    expect(await api.apply(settings('{ color: green }'), 'gitops')).toMatchObject({ status: 200 });
    expect(await api.apply(settings('{ size: "4" }'), 'operator')).toMatchObject({ status: 200 });
    expect(await api.apply(service(81), 'gitops')).toMatchObject({ status: 200 });
    expect((await api.get('configmaps lost-managers/settings')).data).toEqual({ color: 'green', size: '4' });
    expect(((await api.get('services lost-managers/web')).spec as { ports: object[] }).ports).toHaveLength(1);
  });

  it('leaves away what had been deleted before the backup', async () => {
    use('lost-deleted');
    const held = 'finalizers: [lost.test/hold]';
    await api.create(`${namespace('lost-deleted')}${configMap('lost-deleted/deleted', '{ a: "1" }', held)}${configMap('lost-deleted/kept', '{ a: "1" }')}
apiVersion: v1
kind: Secret
metadata: { name: deleted, namespace: lost-deleted, ${held} }
`);
    await api.remover('configmaps lost-deleted/deleted');
    await api.remover('secrets lost-deleted/deleted');
    const point = await pipeline.backup(['lost-deleted']);
    for (const type of ['configmaps', 'secrets'])
      await api.patch(`${type} lost-deleted/deleted`, { metadata: { finalizers: null } });
    await api.gone('lost-deleted');
    const restored = await pipeline.restore(point);
    expect(restored.results('configmaps lost-deleted/kept')).toEqual(['created']);
    expect([
      await api.find('configmaps lost-deleted/deleted'),
      await api.find('secrets lost-deleted/deleted'),
    ]).toEqual([undefined, undefined]);
    expect(restored.wrong).toEqual([]);
  });

  it('keeps the node ports that a manifest names, whoever applied it, and its health check port', async () => {
    use('lost-ports');
    const service = (name: string, port: number, more = '') => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: lost-ports }
spec: { type: NodePort, selector: { app: x }, ports: [{ port: 80, nodePort: ${port} }]${more} }`;
    await api.create(namespace('lost-ports'));
    await api.apply(service('by-server-side', 30042), 'gitops');
    await api.create(service('by-helm', 30043), 'helm');
    await api.create(service('address', 31484, ', clusterIP: 10.96.44.44'), 'helm');
    await api.create(
      service('balanced', 31485, ', externalTrafficPolicy: Local, healthCheckNodePort: 31486').replace(
        'NodePort',
        'LoadBalancer',
      ),
      'helm',
    );
    const point = await pipeline.backup(['lost-ports']);
    await api.gone('lost-ports');
    const restored = await pipeline.restore(point);
    const seen = (await api.list('services', 'lost-ports')).map(({ metadata, spec }) => [
      metadata.name,
      (spec as { ports: { nodePort: number }[] }).ports[0]?.nodePort,
      metadata.name === 'address' ? spec?.clusterIP : spec?.healthCheckNodePort,
    ]);
    expect(seen.sort()).toEqual([
      ['address', 31484, '10.96.44.44'],
      ['balanced', 31485, 31486],
      ['by-helm', 30043, undefined],
      ['by-server-side', 30042, undefined],
    ]);
    expect(restored.wrong).toEqual([]);
  });

  it('names the object that took a node port meanwhile', async () => {
    use('lost-port-a', 'lost-port-b');
    const gate = (ns: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'gate', namespace: ns },
      spec: { type: 'NodePort', selector: { app: 'x' }, ports: [{ port: 80, nodePort: 30044 }] },
    });
    await api.create(`${namespace('lost-port-a')}${namespace('lost-port-b')}`);
    await api.create([gate('lost-port-a')], 'helm');
    const point = await pipeline.backup(['lost-port-a']);
    await api.gone('lost-port-a');
    await until('the port is free', async () => (await api.tryCreate(gate('lost-port-b'))).status < 400);
    const restored = await pipeline.restore(point);
    expect(restored.results('services lost-port-a/gate')).toEqual(['failed']);
    expect(restored.reason('services lost-port-a/gate')).toMatch(/30044.*lost-port-b\/gate/s);
    expect(restored.phase).toBe('PartiallyFailed');
  });

  it('has the status that was asked for, with a status subresource and without', async () => {
    use('lost-status');
    await api.create(`${namespace('lost-status')}
apiVersion: lost.test/v1
kind: Workflow
metadata: { name: pay-out, namespace: lost-status }
spec: { run: once }
status: { phase: Succeeded, finishedAt: "2026-01-01T00:00:00Z" }
---
apiVersion: lost.test/v1
kind: Run
metadata: { name: pay-out, namespace: lost-status }
spec: { run: once }
`);
    await api.patch('runs.lost.test lost-status/pay-out#status', { status: { phase: 'Succeeded' } });
    const point = await pipeline.backup(['lost-status']);
    const status = async (type: string) => (await api.get(`${type}.lost.test lost-status/pay-out`)).status;
    await api.gone('lost-status');
    expect((await pipeline.restore(point)).wrong).toEqual([]);
    expect([await status('workflows'), await status('runs')]).toEqual([undefined, undefined]);
    await api.gone('lost-status');
    const asked = await pipeline.restore(point, { restoreStatus: ['workflows.lost.test', 'runs.lost.test'] });
    expect([await status('workflows'), await status('runs')]).toEqual([
      { phase: 'Succeeded', finishedAt: '2026-01-01T00:00:00Z' },
      { phase: 'Succeeded' },
    ]);
    expect(asked.wrong).toEqual([]);
  });
});
