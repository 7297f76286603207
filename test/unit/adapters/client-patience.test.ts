import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { isTimeout, kubeClient } from '../../../functions/adapters/kubernetes/client.ts';
import type { CallOptions } from '../../../functions/ports/kubernetes.ts';

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());

/** What a call ends with at a server that answers so, and how many requests it got. */
async function callAt(answer: RequestListener, options: CallOptions) {
  let requests = 0;
  const listening = createServer((request, response) => {
    requests++;
    answer(request, response);
  });
  server = listening;
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const client = kubeClient({
    server: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    insecure: false,
  });
  const result = await client.call('GET', '/x', options).catch((error: Error) => error);
  listening.close();
  return { result: result as Error, requests };
}

it('a call with limited patience gives up what never answers, and does not ask again', async () => {
  const { result, requests } = await callAt(() => undefined, { patience: { timeoutMs: 100, tries: 5 } });
  expect(result).toMatchObject({
    name: 'ClusterUnreachable',
    message: 'GET /x: no complete response within 0.1 s',
  });
  expect([requests, isTimeout(result)]).toEqual([1, true]);
});

it('a call with limited patience gives up a response that trickles for ever', async () => {
  const drip: RequestListener = (_, response) => {
    const timer = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(timer));
  };
  const { result } = await callAt(drip, { patience: { timeoutMs: 150, tries: 1 } });
  expect(isTimeout(result)).toBe(true);
});

it('a call tries an error that may pass as often as it was told', async () => {
  const answer: RequestListener = (_, response) => response.writeHead(503).end('no');
  const { result, requests } = await callAt(answer, { patience: { timeoutMs: 1000, tries: 2 } });
  expect(result).toMatchObject({ name: 'ClusterBusy', status: 503 });
  expect([requests, isTimeout(result)]).toEqual([2, false]);
});

it('a call with limited patience does not wait for ever for an API that stays busy', async () => {
  const answer: RequestListener = (_, response) => response.writeHead(429, { 'retry-after': '0' }).end('no');
  const started = performance.now();
  const { result, requests } = await callAt(answer, { patience: { timeoutMs: 1500, tries: 1 } });
  expect(result).toMatchObject({ name: 'ClusterBusy', status: 429 });
  expect(requests).toBeGreaterThan(1);
  expect(performance.now() - started).toBeLessThan(3000);
});

it('a call gives up a response that is larger than it may be', async () => {
  const answer: RequestListener = (_, response) => response.end('x'.repeat(1001));
  const { result } = await callAt(answer, { maxBytes: 1000 });
  expect(result.message).toBe('the response has more than 1000 bytes');
});

it('a call says which media types it takes', async () => {
  const answer: RequestListener = (request, response) => response.end(request.headers.accept);
  const { result } = await callAt(answer, { mediaType: 'application/json;as=Table' });
  expect(String((result as unknown as { body: Buffer }).body)).toBe('application/json;as=Table');
});
