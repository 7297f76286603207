import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { network } from '../../world/base/settings.ts';
import { Authority } from '../../world/sandbox/certs.ts';
import { sleep } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { configMap, namespace } from '../support/dirty-manifests.ts';

const pipeline = new Pipeline();
const { api } = pipeline;
const PORT = 9919;
const HOOK = 'validatingwebhookconfigurations.admissionregistration.k8s.io broken-late';
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
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await api.remove(HOOK);
  await api.gone('broken-late');
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
