import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { network } from '../../world/base/settings.ts';
import { Authority } from '../../world/sandbox/certs.ts';
import { sleep, until } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { anything, configMap, namespace } from '../support/dirty-manifests.ts';

// Webhooks and APIs that are late, down or wrong: one costs its own type, and nothing else. One case after the other,
// because an API that is down holds up every namespace that is being deleted.
const pipeline = new Pipeline();
const { api } = pipeline;
const PORT = 9919;
const NAMESPACE = 'broken';
const HOOK = 'validatingwebhookconfigurations.admissionregistration.k8s.io broken-late';
const CRDS = 'customresourcedefinitions.apiextensions.k8s.io';
const BAD = 'apiservices.apiregistration.k8s.io v1.bad.broken.test';
const METRICS = 'apiservices.apiregistration.k8s.io v1beta1.metrics.k8s.io';
let caBundle: string;
let serve: (path: string, body: string, response: ServerResponse) => void = (_, __, response) =>
  response.end();
let server: Server;

const listen = () => new Promise<void>((resolve) => server.listen(PORT, network.nodeAddress, resolve));
const send = (response: ServerResponse, status: number, body: object) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

beforeAll(async () => {
  await pipeline.open();
  const ca = await Authority.create('broken');
  const addresses = [network.nodeAddress];
  const { certificate: cert, key } = await ca.issue({ commonName: 'broken', addresses, uses: ['server'] });
  caBundle = Buffer.from(ca.certificate).toString('base64');
  server = createServer({ cert, key }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => serve(request.url ?? '', body, response));
  });
  await api.create(`${namespace(NAMESPACE)}${configMap(`${NAMESPACE}/one`, '{ a: "1" }')}`);
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await api.remove(HOOK, BAD, METRICS);
  await api.remove(`${CRDS} valves.broken.test`, `${CRDS} meters.broken.test`);
  await api.gone(NAMESPACE, 'broken-late');
  await pipeline.close();
});

it('waits for a webhook whose pods come late', async () => {
  const checked = configMap('broken-late/rule', '{ a: "1" }', 'labels: { checked: "yes" }');
  await api.create(`${namespace('broken-late')}${checked}${configMap('broken-late/other', '{ a: "1" }')}`);
  const point = await pipeline.backup(['broken-late']);
  await api.gone('broken-late');
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] };
  const clientConfig = { url: `https://${network.nodeAddress}:${PORT}/`, caBundle };
  const hook = {
    name: 'check.broken.test',
    failurePolicy: 'Fail',
    sideEffects: 'None',
    timeoutSeconds: 2,
    admissionReviewVersions: ['v1'],
    objectSelector: { matchLabels: { checked: 'yes' } },
    rules: [rule],
    clientConfig,
  };
  await api.create([
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'broken-late' },
      webhooks: [hook],
    },
  ]);
  serve = (_, body, response) => {
    const { uid } = (JSON.parse(body) as { request: { uid: string } }).request;
    send(response, 200, {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid, allowed: true },
    });
  };
  const down = await pipeline.restore(point, { waitSeconds: 2 });
  expect(down.results('configmaps broken-late/other', 'configmaps broken-late/rule')).toEqual([
    'created',
    'failed',
  ]);
  expect(down.reason('configmaps broken-late/rule')).toMatch(/check\.broken\.test/);
  const late = sleep(40_000).then(listen);
  const restored = await pipeline.restore(point, { waitSeconds: 120 });
  await late;
  expect(restored.results('configmaps broken-late/rule')).toEqual(['created']);
  expect(restored.wrong).toEqual([]);
  await api.remove(HOOK);
});

it('loses only the type whose conversion webhook is down, and no backup of another namespace', async () => {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = [
    { name: 'v1', served: true, storage: false, schema },
    { name: 'v1beta1', served: true, storage: true, schema },
  ];
  const valves = anything('valves', 'broken.test', 'Valve');
  await api.create([{ ...valves, spec: { ...valves.spec, conversion: { strategy: 'None' }, versions } }]);
  await api.create([
    { apiVersion: 'broken.test/v1beta1', kind: 'Valve', metadata: { name: 'v', namespace: NAMESPACE } },
  ]);
  const service = { namespace: NAMESPACE, name: 'operator-that-is-down', path: '/convert' };
  const webhook = { conversionReviewVersions: ['v1'], clientConfig: { service } };
  await api.patch(`${CRDS} valves.broken.test`, { spec: { conversion: { strategy: 'Webhook', webhook } } });
  await until(
    'the conversion is in effect',
    async () =>
      (await api.client.call('GET', '/apis/broken.test/v1/valves', { accept: [500] })).status === 500,
  );
  const point = await pipeline.backup([NAMESPACE]);
  expect(point.record.phase).toBe('PartiallyFailed');
  expect(point.record.reasons).toEqual([expect.stringContaining('valves.broken.test')]);
  expect(point.record.resources?.types.configmaps?.items).toBeGreaterThan(0);
  const other = await pipeline.backup(['default'], { excludedResources: ['valves.broken.test'] });
  expect(other.record.reasons).toEqual([]);
  const restored = await pipeline.restore(point);
  expect(restored.results('configmaps broken/one')).toEqual(['unchanged']);
  await api.patch(`${CRDS} valves.broken.test`, {
    spec: { conversion: { strategy: 'None', webhook: null } },
  });
});

it('reads a type in the version that is served when another stopped being served', async () => {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = (served: boolean) => [
    { name: 'v1', served, storage: false, schema },
    { name: 'v1beta1', served: true, storage: true, schema },
  ];
  const meters = anything('meters', 'broken.test', 'Meter');
  await api.create([{ ...meters, spec: { ...meters.spec, versions: versions(true) } }]);
  await api.create([
    {
      apiVersion: 'broken.test/v1',
      kind: 'Meter',
      metadata: { name: 'm', namespace: NAMESPACE },
      spec: { a: 1 },
    } as KubeObject,
  ]);
  const point = await pipeline.backup([NAMESPACE], {}, async () => {
    await api.patch(`${CRDS} meters.broken.test`, { spec: { versions: versions(false) } });
    await until(
      'v1 is gone',
      async () =>
        (await api.client.call('GET', '/apis/broken.test/v1/meters', { accept: [404] })).status === 404,
    );
  });
  const meter = point.record.resources?.types['meters.broken.test']?.items;
  const told = point.record.reasons.some((reason) => reason.includes('meters.broken.test'));
  expect([meter === 1, told]).not.toEqual([false, false]);
  expect(point.record.phase).toBe(told ? 'PartiallyFailed' : 'Completed');
});

it('metrics that are down concern nobody', async () => {
  const service = { name: 'nobody', namespace: 'default' };
  const spec = {
    group: 'metrics.k8s.io',
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service,
  };
  await api.create([
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec,
    },
  ]);
  await until('the group is listed', async () =>
    (await api.client.call('GET', '/apis')).body.includes('metrics.k8s.io'),
  );
  const { record } = await pipeline.backup([NAMESPACE]);
  expect([record.phase, record.reasons]).toEqual(['Completed', []]);
  await api.remove(METRICS);
});

it('an aggregated API costs its own type, whatever it answers', async () => {
  let mode = 'twice';
  serve = (url, _, response) => {
    const { pathname } = new URL(url, 'https://x');
    const version = { groupVersion: 'bad.broken.test/v1', version: 'v1' };
    if (pathname === '/apis/bad.broken.test/v1') {
      const things = {
        name: 'things',
        singularName: 'thing',
        namespaced: true,
        kind: 'Thing',
        verbs: ['get', 'list', 'create'],
      };
      send(response, 200, {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: version.groupVersion,
        resources: [things],
      });
    } else if (pathname === '/apis/bad.broken.test')
      send(response, 200, {
        kind: 'APIGroup',
        apiVersion: 'v1',
        name: 'bad.broken.test',
        versions: [version],
        preferredVersion: version,
      });
    else if (!pathname.endsWith('/things'))
      send(response, 404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404 });
    else if (mode === 'twice' || mode === 'nameless') {
      const item = (n: number) => ({
        metadata: { ...(mode === 'twice' && { name: 'etcd' }), namespace: NAMESPACE },
        status: { catalog: n },
      });
      send(response, 200, {
        kind: 'ThingList',
        apiVersion: version.groupVersion,
        metadata: { resourceVersion: '1' },
        items: [item(1), item(2)],
      });
    } else
      send(response, Number(mode), {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        code: Number(mode),
        message: 'no',
      });
  };
  if (!server.listening) await listen();
  await api.create([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'bad', namespace: NAMESPACE },
      spec: { type: 'ExternalName', externalName: network.nodeAddress, ports: [{ port: PORT }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.bad.broken.test' },
      spec: {
        group: 'bad.broken.test',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'bad', namespace: NAMESPACE, port: PORT },
      },
    },
  ]);
  await until(
    'the API is served',
    async () =>
      (await api.client.call('GET', '/apis/bad.broken.test/v1', { accept: [404, 503] })).status === 200,
  );
  const seen: unknown[] = [];
  const modes = ['twice', 'nameless', '500', '503', '404', '400', '410', '504'];
  for (mode of modes) {
    const point = await pipeline.backup([NAMESPACE]);
    const { phase, reasons } = point.record;
    const restored = await pipeline.restore(point);
    seen.push([
      mode,
      phase,
      reasons.every((r) => r.includes('bad.broken.test')),
      ...restored.results('configmaps broken/one'),
    ]);
  }
  expect(seen).toEqual(modes.map((m) => [m, 'PartiallyFailed', true, 'unchanged']));
});
