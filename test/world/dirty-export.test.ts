import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ArchivedObject, capsFor, readArchive } from '../../functions/adapters/archive/reader.ts';
import { readBack } from '../../functions/backup/commit-backup/read-back.ts';
import { exportWhole } from '../../functions/backup/export/export.ts';
import { planExport } from '../../functions/backup/export/plan.ts';
import { lookAtCluster } from '../../functions/backup/open-backup/look.ts';
import type { Selection } from '../../functions/contract/settings.ts';
import { decidePhase } from '../../functions/core/backup/record.ts';
import { type KubeObject, objectPath, type ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { KubeClient } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { network } from '../../world/base/settings.ts';
import { Authority } from '../../world/sandbox/certs.ts';
import { workOf } from '../support/builders.ts';
import { planOf, selectionOf } from '../support/selection.ts';
import { typeOf } from '../support/served-cluster.ts';
import { connect, create, freeForm, makeVault, untilServed } from '../support/world.ts';

// What broken APIs and odd objects cost a backup: their own type, in the API server's words, and nothing else.
const keys = vaultKeys('dirty');
const NAMESPACE = 'dirty-export';
const PORT = 9921;
const GROUP = 'agg.dirty.test';
const MAPS = typeOf('configmaps', { kind: 'ConfigMap' });
const SERVICES = typeOf('apiservices.apiregistration.k8s.io', { kind: 'APIService', namespaced: false });
const VALVES = typeOf('valves.conv.dirty.test');
const METERS = typeOf('meters.vanish.dirty.test');
let cluster: KubeClient;
let vault: Vault;
let server: Server;
/** How the aggregated API answers a list of its things; undefined: it hangs. */
let things: readonly [status: number, body: unknown] | undefined;
let verbs = ['get', 'list', 'create'];
let count = 0;

/** Backs up the namespace and reads the archive back as its commit does. */
async function backedUp(over: Partial<Selection> = {}, between: () => Promise<void> = async () => undefined) {
  const backup = `dirty-20260101${String(count++).padStart(6, '0')}`;
  const work = workOf({
    plan: 'dirty',
    backup,
    namespaces: [NAMESPACE],
    selection: selectionOf([NAMESPACE], over),
  });
  const plan = await planExport(cluster, work, 1_000_000);
  await between();
  const result = await exportWhole({ cluster, vault, keys }, work, plan, performance.now());
  const archive = keys.velero.archive(backup);
  await readBack(await vault.stream(archive), result);
  const names: string[] = [];
  const visit = ({ at }: ArchivedObject) => names.push(`${at.groupResource}/${at.version} ${at.name}`);
  await readArchive(await vault.stream(archive), result.sha256, visit, capsFor(result));
  return { names, result, ...decidePhase(work, { resources: result, volumes: [] }) };
}

/** How an API server of one type, `things`, answers: lists as it is told. */
function answerOf(path: string): readonly [status: number, body: unknown] | undefined {
  const groupVersion = `${GROUP}/v1`;
  if (path !== `/apis/${groupVersion}`)
    return path.endsWith('/things') ? things : [404, { kind: 'Status', code: 404 }];
  const type = { name: 'things', singularName: 'thing', namespaced: true, kind: 'Thing', verbs };
  return [200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [type] }];
}

const apiService = (group: string, version: string, service: object): KubeObject => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: `${version}.${group}` },
  spec: { group, version, service, groupPriorityMinimum: 1, versionPriority: 1, insecureSkipTLSVerify: true },
});
const until = async (done: () => Promise<boolean>) => {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 200));
};
const patch = (type: ResourceType, name: string, body: object, namespace?: string) =>
  cluster.call('PATCH', objectPath(type, name, namespace), {
    body,
    contentType: 'application/merge-patch+json',
  });

beforeAll(async () => {
  cluster = connect();
  vault = await makeVault('dirty-export');
  await create(cluster, TYPES.namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  const metadata = { name: 'settings', namespace: NAMESPACE };
  await create(cluster, MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } });
  const ca = await Authority.create('dirty');
  const addresses = [network.nodeAddress];
  const { certificate: cert, key } = await ca.issue({ commonName: 'dirty', addresses, uses: ['server'] });
  server = createServer({ cert, key }, ({ url = '' }, response) => {
    const answer = answerOf(new URL(url, 'https://x').pathname);
    if (!answer) return;
    response.writeHead(answer[0], { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer[1]));
  }).listen(PORT, network.nodeAddress);
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await cluster.close();
});

describe('an aggregated API', () => {
  const bad = { name: 'bad', namespace: NAMESPACE, port: PORT };
  const thing = (name: string) => ({ metadata: { name, namespace: NAMESPACE } });
  const page = (...items: object[]) =>
    [
      200,
      { kind: 'ThingList', apiVersion: `${GROUP}/v1`, metadata: { resourceVersion: '1' }, items },
    ] as const;

  beforeAll(async () => {
    await create(cluster, typeOf('services'), {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'bad', namespace: NAMESPACE },
      spec: { type: 'ExternalName', externalName: network.nodeAddress, ports: [{ port: PORT }] },
    });
    await create(cluster, SERVICES, apiService(GROUP, 'v1', bad));
    await until(
      async () => (await cluster.call('GET', `/apis/${GROUP}/v1`, { accept: [404, 503] })).status === 200,
    );
  });
  afterAll(() => cluster.call('DELETE', objectPath(SERVICES, `v1.${GROUP}`)));

  it('that works is backed up', async () => {
    things = page(thing('one'));
    const { names, phase } = await backedUp();
    expect(phase).toBe('Completed');
    expect(names).toEqual(expect.arrayContaining([`things.${GROUP}/v1 one`, 'configmaps/v1 settings']));
  });

  it.each([400, 404, 405, 410, 429, 500, 503, 504])('that answers %i costs its type', async (code) => {
    things = [code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message: 'out of order' }];
    const { names, reasons, phase } = await backedUp();
    expect(phase).toBe('PartiallyFailed');
    expect(reasons).toEqual([expect.stringMatching(/^things\.agg\.dirty\.test \(.*out of order/)]);
    expect(names).toContain('configmaps/v1 settings');
  });

  it('that never answers costs its type, within a minute', async () => {
    things = undefined;
    const started = performance.now();
    const { names, reasons } = await backedUp();
    expect(reasons).toEqual([expect.stringMatching(/^things\.agg\.dirty\.test \(.*no complete response/)]);
    expect(names).toContain('configmaps/v1 settings');
    expect(performance.now() - started).toBeLessThan(60_000);
  });

  it.each([
    ['twice', [thing('etcd'), thing('etcd')]],
    ['without a name', [{ metadata: { namespace: NAMESPACE } }, thing('etcd')]],
    ['with a path for a name', [thing('../../../etcd'), thing('etcd')]],
  ])('with an object %s costs that object, and its archive can be restored', async (_, items) => {
    things = page(...items);
    const { names, reasons, phase } = await backedUp();
    expect([phase, reasons]).toEqual(['PartiallyFailed', [expect.stringMatching(/1 object was left out/)]]);
    expect(names).toEqual(expect.arrayContaining([`things.${GROUP}/v1 etcd`, 'configmaps/v1 settings']));
  });

  it('that is not in the plan is not asked', async () => {
    things = undefined;
    expect(await backedUp({ includedResources: ['configmaps'] })).toMatchObject({ phase: 'Completed' });
    expect(await backedUp({ excludedResources: [`*.${GROUP}`] })).toMatchObject({ phase: 'Completed' });
  });

  it('whose objects nobody can create may list one twice', async () => {
    verbs = ['get', 'list'];
    things = page(thing('etcd'), thing('etcd'));
    await cluster.call('DELETE', objectPath(SERVICES, `v1.${GROUP}`));
    await until(async () => !(await cluster.call('GET', '/apis')).body.includes(GROUP));
    await create(cluster, SERVICES, apiService(GROUP, 'v1', bad));
    await until(
      async () => (await cluster.call('GET', `/apis/${GROUP}/v1`, { accept: [404, 503] })).status === 200,
    );
    const { phase, result } = await backedUp();
    expect([phase, result.notes]).toEqual(['Completed', [expect.stringMatching(/1 object was left out/)]]);
  });
});

describe('an aggregated API that is down', () => {
  const nobody = { name: 'nobody', namespace: 'default' };
  const whileDown = async (group: string, version: string, test: () => Promise<void>) => {
    await create(cluster, SERVICES, apiService(group, version, nobody));
    try {
      await until(async () => (await cluster.call('GET', '/apis')).body.includes(`"${group}"`));
      await test();
    } finally {
      await cluster.call('DELETE', objectPath(SERVICES, `${version}.${group}`));
    }
  };

  it.each([
    ['metrics.k8s.io', 'v1beta1'],
    ['external.metrics.k8s.io', 'v1beta1'],
  ])('of %s concerns nobody', async (group, version) => {
    await whileDown(group, version, async () => {
      expect(await backedUp()).toMatchObject({ phase: 'Completed', reasons: [] });
    });
  });

  it('is named in backups that may take of it, and in no others', async () => {
    await whileDown('down.dirty.test', 'v1', async () => {
      const { phase, reasons } = await backedUp();
      expect([phase, reasons]).toEqual([
        'PartiallyFailed',
        [expect.stringMatching(/^down\.dirty\.test\/v1 \(/)],
      ]);
      expect((await backedUp({ includedResources: ['configmaps'] })).phase).toBe('Completed');
      expect((await backedUp({ excludedResources: ['*.down.dirty.test'] })).phase).toBe('Completed');
    });
  });
});

describe('a custom resource', () => {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = (served: boolean) => [
    { name: 'v1', served, storage: false, schema },
    { name: 'v1beta1', served: true, storage: true, schema },
  ];
  const made = async (type: ResourceType, name: string) => {
    const definition = freeForm(type);
    const spec = { ...definition.spec, versions: versions(true) };
    await create(cluster, TYPES.customResourceDefinitions, { ...definition, spec });
    await untilServed(cluster, type);
    const metadata = { name, namespace: NAMESPACE };
    await create(cluster, type, { apiVersion: `${type.group}/v1`, kind: type.kind, metadata });
  };

  it('whose conversion webhook is down costs its type', async () => {
    await made(VALVES, 'v');
    const service = { namespace: NAMESPACE, name: 'operator-that-is-down', path: '/convert' };
    const webhook = { conversionReviewVersions: ['v1'], clientConfig: { service } };
    const name = `${VALVES.resource}.${VALVES.group}`;
    const crd = TYPES.customResourceDefinitions;
    await patch(crd, name, { spec: { conversion: { strategy: 'Webhook', webhook } } });
    const broken = async () => {
      const path = `/apis/${VALVES.group}/v1/valves`;
      const { status } = await cluster.call('GET', path, { accept: [429, 500] });
      return status !== 200;
    };
    try {
      await until(broken);
      const { names, reasons } = await backedUp();
      expect(reasons).toEqual([expect.stringMatching(/^valves\.conv\.dirty\.test \(.*conversion webhook/)]);
      expect(names).toContain('configmaps/v1 settings');
      const other = await backedUp({ includedResources: ['configmaps'] });
      expect([other.phase, other.reasons]).toEqual(['Completed', []]);
    } finally {
      await patch(crd, name, { spec: { conversion: { strategy: 'None', webhook: null } } });
      await cluster.call('DELETE', objectPath(crd, name));
    }
  });

  it('is read in another version when its own is no longer served', async () => {
    await made(METERS, 'm');
    const name = `${METERS.resource}.${METERS.group}`;
    const { names, phase, reasons } = await backedUp({}, async () => {
      await patch(TYPES.customResourceDefinitions, name, { spec: { versions: versions(false) } });
      const path = `/apis/${METERS.group}/v1/meters`;
      await until(async () => (await cluster.call('GET', path, { accept: [404] })).status === 404);
    });
    expect([phase, reasons]).toEqual(['Completed', []]);
    expect(names).toContain(`${name}/v1beta1 m`);
  });

  it('is named when it goes away with its definition', async () => {
    const name = `${METERS.resource}.${METERS.group}`;
    const { reasons } = await backedUp({}, async () => {
      await cluster.call('DELETE', objectPath(TYPES.customResourceDefinitions, name));
      const path = `/apis/${METERS.group}/v1beta1/meters`;
      await until(async () => (await cluster.call('GET', path, { accept: [404] })).status === 404);
    });
    expect(reasons).toEqual([`${name} (it is no longer served) could not be read`]);
  });
});

it('40 ConfigMaps of a mebibyte that compress well are backed up, and read back', async () => {
  const data = { text: 'x'.repeat(1_000_000) };
  for (let i = 0; i < 40; i++)
    await create(cluster, MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `large-${i}`, namespace: NAMESPACE },
      data,
    });
  const { names, phase } = await backedUp({ includedResources: ['configmaps'] });
  expect(phase).toBe('Completed');
  expect(names.filter((n) => n.includes('large-'))).toHaveLength(40);
  expect(names).toContain(`namespaces/v1 ${NAMESPACE}`);
});

it('a namespace that is being deleted makes a backup incomplete, when it is opened and when it is exported', async () => {
  await patch(MAPS, 'settings', { metadata: { finalizers: ['dirty.test/hold'] } }, NAMESPACE);
  await cluster.call('DELETE', objectPath(TYPES.namespaces, NAMESPACE));
  const { problems } = await lookAtCluster(cluster, planOf('dirty', [NAMESPACE]));
  expect(problems).toContain(`namespace ${NAMESPACE} is being deleted`);
  const { phase, reasons } = await backedUp();
  expect([phase, reasons]).toEqual(['PartiallyFailed', [`namespace ${NAMESPACE} is being deleted`]]);
  await patch(MAPS, 'settings', { metadata: { finalizers: null } }, NAMESPACE);
});
