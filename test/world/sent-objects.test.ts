import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../functions/contract/restore-options.ts';
import type { ArchivedName } from '../../functions/core/backup/archive.ts';
import {
  collectionPath,
  groupResource,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { differencesIn } from '../../functions/core/restore/compare.ts';
import { targetOf, transform } from '../../functions/core/restore/transform.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import { connect, create, freeForm, untilServed } from '../support/world.ts';

const SPACE = 'sent';
const typed = (group: string, resource: string, kind: string, namespaced = true): ResourceType => ({
  group,
  version: 'v1',
  resource,
  kind,
  namespaced,
});
const SERVICES = typed('', 'services', 'Service');
const ACCOUNTS = typed('', 'serviceaccounts', 'ServiceAccount');
const CONFIG_MAPS = typed('', 'configmaps', 'ConfigMap');
const POLICIES = typed('networking.k8s.io', 'networkpolicies', 'NetworkPolicy');
const BINDINGS = typed('rbac.authorization.k8s.io', 'rolebindings', 'RoleBinding');
const THINGS = typed('sent.test', 'things', 'Thing');

let cluster: KubeClient;
const inSpace = (type: ResourceType) => (type.namespaced ? SPACE : undefined);
const pathOf = (type: ResourceType, name: string, space = inSpace(type)) => objectPath(type, name, space);
const objectOf = (
  type: ResourceType,
  name: string,
  body: object = {},
  metadata: object = {},
): KubeObject => ({
  apiVersion: type.group ? `${type.group}/${type.version}` : type.version,
  kind: type.kind,
  metadata: { name, ...(type.namespaced && { namespace: SPACE }), ...metadata },
  ...body,
});
const make = async (type: ResourceType, object: KubeObject, fieldManager = 'helm') =>
  void (await cluster.call('POST', collectionPath(type, object.metadata.namespace), {
    body: object,
    query: { fieldManager },
  }));

async function look(type: ResourceType, name: string, space = inSpace(type)): Promise<KubeObject> {
  const { body } = await cluster.call('GET', pathOf(type, name, space));
  return JSON.parse(body.toString('utf8')) as KubeObject;
}

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
    const value = await read();
    if (holds(value)) return value;
  }
  throw new Error('it never held');
}

async function remove(type: ResourceType, name: string): Promise<void> {
  await cluster.call('DELETE', pathOf(type, name));
  const status = async () => (await cluster.call('GET', pathOf(type, name), { accept: [404] })).status;
  await until(status, (s) => s === 404);
}

const nameOf = (type: ResourceType, name: string): ArchivedName => ({
  groupResource: groupResource(type),
  version: type.version,
  namespace: inSpace(type),
  name,
});

/** Sends an object as a restore does, and returns what the cluster has then, and where it differs from what was sent. */
async function send(type: ResourceType, archived: KubeObject, options: RestoreOptions = {}, backup = 'b') {
  const at = nameOf(type, archived.metadata.name);
  const target = targetOf(at, options);
  const wanted = transform(at, structuredClone(archived), options, { backup, restore: 'r' });
  await make(type, wanted, 'holdfast');
  const live = await look(type, target.name, target.namespace);
  return { live, differing: differencesIn(at, wanted, live) };
}

/** Takes an object as a backup finds it, deletes it, and sends it. */
async function again(type: ResourceType, name: string) {
  const archived = await look(type, name);
  await remove(type, name);
  return { archived, ...(await send(type, archived)) };
}

beforeAll(async () => {
  cluster = connect();
  for (const name of [SPACE, `${SPACE}-copy`])
    await create(cluster, TYPES.namespaces, { metadata: { name } });
});
afterAll(() => cluster.close());

describe('what a restore sends for a Service', () => {
  const spec = (nodePort?: number, more: object = {}) => ({
    type: 'NodePort',
    selector: { app: 'x' },
    ports: [
      { name: 'a', port: 80, ...(nodePort && { nodePort }) },
      { name: 'b', port: 80, protocol: 'UDP' },
    ],
    ...more,
  });
  const portsOf = ({ spec: s }: KubeObject) =>
    ((s?.ports ?? []) as { nodePort?: number }[]).map((p) => p.nodePort);

  it('has a node port that an update stated, and not the one that was allocated', async () => {
    await make(SERVICES, objectOf(SERVICES, 'by-helm', { spec: spec(31483) }));
    const archived = await look(SERVICES, 'by-helm');
    const sent = transform(
      nameOf(SERVICES, 'by-helm'),
      structuredClone(archived),
      {},
      { backup: 'b', restore: 'r' },
    );
    expect(portsOf(archived)).toEqual([31483, expect.any(Number)]);
    expect(portsOf(sent)).toEqual([31483, undefined]);
    expect([archived.spec?.clusterIP, sent.spec?.clusterIP]).toEqual([expect.any(String), undefined]);
    const { live, differing } = await again(SERVICES, 'by-helm');
    expect([portsOf(live)[0], differing]).toEqual([31483, []]);
  });

  it('has a node port and an address that server-side apply stated', async () => {
    const name = 'by-apply';
    await cluster.call('PATCH', pathOf(SERVICES, name), {
      body: objectOf(SERVICES, name, { spec: spec(31482, { clusterIP: '10.96.200.9' }) }),
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'gitops', force: 'true' },
      accept: [422],
    });
    const { archived, live, differing } = await again(SERVICES, name);
    expect([portsOf(live)[0], live.spec?.clusterIP]).toEqual([31482, archived.spec?.clusterIP]);
    expect(differing).toEqual([]);
  });

  it('has what it had again after it was restored once and twice', async () => {
    const { archived, live } = await again(SERVICES, 'by-helm');
    expect(portsOf(live)[0]).toBe(portsOf(archived)[0]);
    const sent = transform(nameOf(SERVICES, 'by-helm'), live, {}, { backup: 'b', restore: 'r' });
    expect([portsOf(sent), sent.spec?.clusterIP]).toEqual([[31483, undefined], undefined]);
  });

  it('has no port that the cluster allocated when the type was changed', async () => {
    await make(
      SERVICES,
      objectOf(SERVICES, 'changed', { spec: { ports: [{ port: 80 }], selector: { a: 'b' } } }),
    );
    const live = await look(SERVICES, 'changed');
    const { managedFields, ...metadata } = live.metadata;
    const body = { ...live, metadata, spec: { ...live.spec, type: 'NodePort' } };
    await cluster.call('PATCH', pathOf(SERVICES, 'changed'), {
      body,
      contentType: 'application/merge-patch+json',
      query: { fieldManager: 'kubectl-edit' },
    });
    const archived = await look(SERVICES, 'changed');
    const sent = transform(
      nameOf(SERVICES, 'changed'),
      structuredClone(archived),
      {},
      { backup: 'b', restore: 'r' },
    );
    expect([portsOf(archived), portsOf(sent)]).toEqual([[expect.any(Number)], [undefined]]);
    expect(sent.spec?.clusterIP).toBeUndefined();
  });
});

describe('what a restore sends for a token Secret', () => {
  it('is filled by the cluster, for the account that has another uid now', async () => {
    await make(ACCOUNTS, objectOf(ACCOUNTS, 'ci'));
    const secret = objectOf(
      TYPES.secrets,
      'ci-token',
      { type: 'kubernetes.io/service-account-token' },
      { annotations: { 'kubernetes.io/service-account.name': 'ci' } },
    );
    const filled = (s: KubeObject) => (s.data as { token?: string } | undefined)?.token !== undefined;
    await make(TYPES.secrets, secret);
    const archived = await until(() => look(TYPES.secrets, 'ci-token'), filled);
    await again(ACCOUNTS, 'ci');
    await until(
      async () => (await cluster.call('GET', pathOf(TYPES.secrets, 'ci-token'), { accept: [404] })).status,
      (status) => status === 404,
    );
    const { differing } = await send(TYPES.secrets, archived);
    const live = await until(() => look(TYPES.secrets, 'ci-token'), filled);
    expect(differing).toEqual([]);
    expect((live.data as { token: string }).token).not.toBe((archived.data as { token: string }).token);
    expect(live.metadata.annotations?.['kubernetes.io/service-account.uid']).toBe(
      (await look(ACCOUNTS, 'ci')).metadata.uid,
    );
  });
});

describe('what a restore sends for a definition that keeps unknown fields as a whole', () => {
  it('is accepted, and its objects keep them at every depth', async () => {
    const old = freeForm(THINGS);
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    const definition = { ...old, spec: { ...old.spec, preserveUnknownFields: true, versions } };
    const { differing } = await send(TYPES.customResourceDefinitions, definition);
    await untilServed(cluster, THINGS);
    const spec = { anything: { deep: [1, { more: true }] } };
    const thing = await send(THINGS, objectOf(THINGS, 'one', { spec }));
    expect([differing, thing.differing, thing.live.spec]).toEqual([[], [], spec]);
  });
});

describe('what a restore sends', () => {
  it('has valid labels for a backup with a name of 72 characters', async () => {
    const backup = 'k8s-production-europe-west-authentication-namespace-daily-20260131020000';
    const { live } = await send(CONFIG_MAPS, objectOf(CONFIG_MAPS, 'long'), {}, backup);
    expect(live.metadata.labels?.['velero.io/backup-name']).toHaveLength(63);
  });

  it('under a namespace mapping does not differ in what the cluster makes of it', async () => {
    const namespaceMapping = { [SPACE]: `${SPACE}-copy` };
    const from = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': SPACE } } };
    const policy = objectOf(POLICIES, 'only', { spec: { podSelector: {}, ingress: [{ from: [from] }] } });
    const rbac = 'rbac.authorization.k8s.io';
    const binding = objectOf(BINDINGS, 'web', {
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'ServiceAccount', name: 'web', namespace: SPACE },
        { apiGroup: rbac, kind: 'User', name: `system:serviceaccount:${SPACE}:web` },
      ],
    });
    for (const [type, object] of [
      [POLICIES, policy],
      [BINDINGS, binding],
    ] as const) {
      await make(type, object);
      const { live, differing } = await send(type, await look(type, object.metadata.name), {
        namespaceMapping,
      });
      expect(differing).toEqual([]);
      expect(JSON.stringify({ ...live, metadata: {} })).not.toMatch(/"sent"|:sent:/);
    }
    const space = await look(TYPES.namespaces, SPACE);
    const other = { [SPACE]: `${SPACE}-third` };
    const { live, differing } = await send(TYPES.namespaces, space, { namespaceMapping: other });
    expect([live.metadata.labels?.['kubernetes.io/metadata.name'], differing]).toEqual([
      `${SPACE}-third`,
      [],
    ]);
  });

  it('for a static volume and its claim is bound again, under a mapping too', async () => {
    const size = { storage: '1Gi' };
    const claim = objectOf(TYPES.persistentVolumeClaims, 'share', {
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: '',
        volumeName: 'sent-static',
        resources: { requests: size },
      },
    });
    const volume = objectOf(TYPES.persistentVolumes, 'sent-static', {
      spec: {
        capacity: size,
        accessModes: ['ReadWriteMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: '',
        hostPath: { path: '/srv/sent', type: 'DirectoryOrCreate' },
      },
    });
    const isBound = (o: KubeObject) => o.status?.phase === 'Bound';
    await make(TYPES.persistentVolumes, volume);
    await make(TYPES.persistentVolumeClaims, claim);
    const archived = await until(() => look(TYPES.persistentVolumeClaims, 'share'), isBound);
    const archivedVolume = await look(TYPES.persistentVolumes, 'sent-static');
    await remove(TYPES.persistentVolumeClaims, 'share');
    await remove(TYPES.persistentVolumes, 'sent-static');
    const options = { namespaceMapping: { [SPACE]: `${SPACE}-copy` } };
    await send(TYPES.persistentVolumes, archivedVolume, options);
    await send(TYPES.persistentVolumeClaims, archived, options);
    await until(() => look(TYPES.persistentVolumeClaims, 'share', `${SPACE}-copy`), isBound);
  });
});
