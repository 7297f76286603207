import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverServed } from '../../functions/adapters/kubernetes/discovery.ts';
import type { RestoreOptions } from '../../functions/contract/restore-options.ts';
import {
  apiVersion,
  collectionPath,
  groupResource,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { withoutFixedTypes } from '../../functions/core/restore/refusals.ts';
import type { PlanItem } from '../../functions/core/restore/restore-plan.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { planOfObjects, type Stored } from '../support/plans.ts';
import { kind } from '../support/restores.ts';
import { connect, freeForm, untilServed } from '../support/world.ts';

const SPACE = 'planned';
const DEPLOYMENTS = kind('apps', 'deployments', 'Deployment');
const SERVICES = kind('', 'services', 'Service');
const SLICES = kind('discovery.k8s.io', 'endpointslices', 'EndpointSlice');
const ACCOUNTS = kind('', 'serviceaccounts', 'ServiceAccount');
const ENDPOINTS = kind('', 'endpoints', 'Endpoints');
const RBAC = 'rbac.authorization.k8s.io';
const ROLE_BINDINGS = kind(RBAC, 'rolebindings', 'RoleBinding');
const DATABASES = kind('planned.test', 'databases', 'Database');
const POD = {
  terminationGracePeriodSeconds: 0,
  containers: [
    {
      name: 'c',
      image: 'docker.io/library/busybox:1.37',
      imagePullPolicy: 'IfNotPresent',
      command: ['sleep', '86400'],
      envFrom: [{ secretRef: { name: 'one-key' } }],
    },
  ],
};

let cluster: KubeClient;

/** Every object of the cluster, as the API server gives it. */
async function everything(): Promise<{ stored: Stored[]; namespaces: string[] }> {
  const { served } = await discoverServed(cluster);
  const stored: Stored[] = [];
  for (const versions of served.values()) {
    const type = versions.find(({ verbs }) => verbs.includes('list') && verbs.includes('get'));
    if (!type) continue;
    const { body } = await cluster.call('GET', collectionPath(type));
    for (const object of (JSON.parse(body.toString()) as { items: KubeObject[] }).items) {
      const { name, namespace } = object.metadata;
      const at = { groupResource: groupResource(type), version: type.version, namespace, name };
      stored.push([at, { apiVersion: apiVersion(type), kind: type.kind, ...object }]);
    }
  }
  const namespaces = stored.flatMap(([at]) => (at.groupResource === 'namespaces' ? [at.name] : []));
  return { stored, namespaces };
}

/** The plan of a restore of the whole cluster, or of the namespace of this test. */
async function planned(options: RestoreOptions = {}, isFiltered = false): Promise<PlanItem[]> {
  const { stored, namespaces } = await everything();
  const { served } = await discoverServed(cluster);
  const chosen = isFiltered ? [SPACE] : namespaces;
  return withoutFixedTypes(planOfObjects(stored, { options, namespaces: chosen, isFiltered }), served);
}

async function make(
  type: ResourceType,
  name: string,
  body: object = {},
  metadata: object = {},
): Promise<KubeObject> {
  const path = collectionPath(type, type.namespaced ? SPACE : undefined);
  const object = { apiVersion: apiVersion(type), kind: type.kind, metadata: { name, ...metadata }, ...body };
  return JSON.parse((await cluster.call('POST', path, { body: object })).body.toString()) as KubeObject;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); await sleep(300))
    if (Date.now() > end) throw new Error('it did not happen within 60 s');
}
const listed = async (type: ResourceType): Promise<KubeObject[]> => {
  const { body } = await cluster.call('GET', collectionPath(type, SPACE));
  return (JSON.parse(body.toString()) as { items: KubeObject[] }).items;
};

let fresh: PlanItem[];

beforeAll(async () => {
  cluster = connect();
  fresh = await planned();
  await make(TYPES.namespaces, SPACE);
  await make(TYPES.secrets, 'one-key', { stringData: { key: 'v' } });
  await make(TYPES.secrets, 'unused', { stringData: { key: 'v' } });
  await make(ACCOUNTS, 'ci');
  await make(
    TYPES.secrets,
    'ci-credentials',
    { type: 'kubernetes.io/service-account-token' },
    { annotations: { 'kubernetes.io/service-account.name': 'ci' } },
  );
  const labels = { app: 'one' };
  const template = { metadata: { labels }, spec: { ...POD, serviceAccountName: 'ci' } };
  await make(DEPLOYMENTS, 'one', { spec: { selector: { matchLabels: labels }, template } }, { labels });
  await make(SERVICES, 'one', { spec: { selector: labels, ports: [{ port: 80 }] } });
  await make(SERVICES, 'outside', { spec: { ports: [{ port: 5432 }] } });
  await make(
    SLICES,
    'outside-1',
    { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.10'] }], ports: [{ port: 5432 }] },
    { labels: { 'kubernetes.io/service-name': 'outside' } },
  );
  await make(SERVICES, 'mirrored', { spec: { ports: [{ port: 5671 }] } });
  await make(ENDPOINTS, 'mirrored', {
    subsets: [{ addresses: [{ ip: '192.0.2.11' }], ports: [{ port: 5671 }] }],
  });
  await make(ROLE_BINDINGS, 'team', {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'devs' }],
  });
  await make(TYPES.customResourceDefinitions, 'databases.planned.test', freeForm(DATABASES));
  await untilServed(cluster, DATABASES);
  const { metadata } = await make(DATABASES, 'main', { spec: {} });
  const reference = {
    apiVersion: 'planned.test/v1',
    kind: 'Database',
    name: 'main',
    uid: metadata.uid,
    controller: true,
  };
  await make(TYPES.secrets, 'main-password', {}, { ownerReferences: [reference] });
  await until(async () => (await listed(SLICES)).length >= 3 && (await listed(TYPES.pods)).length > 0);
});
afterAll(async () => {
  await cluster.call('DELETE', objectPath(TYPES.namespaces, SPACE), { accept: [404] });
  await cluster.call('DELETE', objectPath(TYPES.customResourceDefinitions, 'databases.planned.test'), {
    accept: [404],
  });
  await cluster.close();
});

describe('a plan of what a real cluster holds', () => {
  it('has of what the cluster made only accounts and roles, and none of the default ones under update', async () => {
    const own = fresh.filter((i) => i.namespace === 'default' || i.namespace?.startsWith('kube-'));
    const types = new Set(own.filter((i) => i.action !== 'skip').map((i) => i.groupResource));
    for (const type of types)
      expect(['serviceaccounts', `roles.${RBAC}`, `rolebindings.${RBAC}`]).toContain(type);
    const kept = [
      'componentstatuses',
      'flowschemas.flowcontrol.apiserver.k8s.io',
      'ipaddresses.networking.k8s.io',
      'nodes',
      'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
      'priorityclasses.scheduling.k8s.io',
      'servicecidrs.networking.k8s.io',
    ];
    for (const type of kept) {
      const actions = fresh.filter((i) => i.groupResource === type).map((i) => i.action);
      expect([type, new Set(actions)]).toEqual([type, new Set(['skip'])]);
    }
    const updated = (await planned({ existingResources: 'update' })).filter((i) =>
      ['admin', 'edit', 'view', 'cluster-admin'].includes(i.name),
    );
    expect(updated.map((i) => [i.name, i.action])).toEqual(updated.map((i) => [i.name, 'skip']));
    expect(updated.length).toBeGreaterThan(4);
  });

  it('leaves to the controllers what they make, and creates what somebody made', async () => {
    const items = (await planned()).filter((i) => i.namespace === SPACE);
    const created = items.filter((i) => i.action === 'create').map((i) => `${i.groupResource} ${i.name}`);
    expect(created.sort()).toEqual(
      [
        'databases.planned.test main',
        'deployments.apps one',
        'endpoints mirrored',
        'endpointslices.discovery.k8s.io outside-1',
        'rolebindings.rbac.authorization.k8s.io team',
        'secrets ci-credentials',
        'secrets main-password',
        'secrets one-key',
        'secrets unused',
        'serviceaccounts ci',
        'serviceaccounts default',
        'services mirrored',
        'services one',
        'services outside',
      ].sort(),
    );
    expect(items.filter((i) => i.action === 'hold')).toEqual([]);
    const made = items.filter((i) => i.madeBy === `deployments.apps/v1/${SPACE}/one`);
    expect(made.map((i) => i.groupResource).sort()).toEqual(['pods', 'replicasets.apps']);
    expect(items.find((i) => i.name === 'main-password')?.owners).toEqual([
      { key: `databases.planned.test/v1/${SPACE}/main`, controller: true },
    ]);
  });

  it('of its namespace has the definition that it needs, and the role that is bound', async () => {
    const items = (await planned({}, true)).filter((i) => i.namespace === undefined && i.action !== 'skip');
    expect(items.map((i) => i.name).sort()).toEqual(['databases.planned.test', 'edit', SPACE]);
  });

  it('of a label has what the pods of the selected objects name', async () => {
    const items = await planned({ labelSelector: 'app=one' });
    const created = items.filter((i) => i.action === 'create').map((i) => `${i.groupResource} ${i.name}`);
    expect(created.sort()).toEqual(
      ['deployments.apps one', `namespaces ${SPACE}`, 'secrets one-key', 'serviceaccounts ci'].sort(),
    );
  });
});
