import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Agent, request } from 'undici';
import { endpointOfKubeconfig } from '../../functions/adapters/kubernetes/access.ts';
import type { KubeMethod } from '../../functions/ports/kubernetes.ts';

/** A request on its way to the API server. */
export interface Passing {
  readonly method: KubeMethod;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

/** A request with its answer. */
export interface Passed extends Passing {
  readonly status: number;
  readonly answer: Buffer;
}

/** What happens around requests of Holdfast: the request waits for it. */
export interface Interposed {
  before?(request: Passing): Promise<void>;
  after?(request: Passed): Promise<void>;
}

/** A way to the real API server, with the identity of a kubeconfig. Tests see every request on it, and act between them. */
export interface ApiProxy {
  /** A kubeconfig that leads here. */
  readonly kubeconfig: string;
  /** Set by a test; empty: requests only pass. */
  interposed: Interposed;
  /** What went wrong between a request and its answer. */
  readonly problems: readonly unknown[];
  close(): Promise<void>;
}

/** Starts a proxy. `kubeconfig`: the file whose identity its requests get. */
export async function startProxy(kubeconfig: string): Promise<ApiProxy> {
  const { server, ca, cert, key } = endpointOfKubeconfig(readFileSync(kubeconfig, 'utf8'), kubeconfig);
  const problems: unknown[] = [];
  const dispatcher = new Agent({ connect: { ca, cert, key } as Agent.Options['connect'] & object });
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '/', server);
    const method = req.method as KubeMethod;
    const passing = { method, path: url.pathname, query: url.searchParams, body: await buffer(req) };
    await proxy.interposed.before?.(passing);
    const type = req.headers['content-type'];
    const real = await request(url, {
      dispatcher,
      method,
      headers: { accept: req.headers.accept ?? 'application/json', ...(type && { 'content-type': type }) },
      body: passing.body.length > 0 ? passing.body : null,
    });
    const body = Buffer.from(await real.body.arrayBuffer());
    await proxy.interposed.after?.({ ...passing, status: real.statusCode, answer: body });
    const { 'retry-after': retry } = real.headers;
    res.writeHead(real.statusCode, {
      'content-type': String(real.headers['content-type'] ?? 'application/json'),
      'content-length': body.length,
      ...(retry !== undefined && { 'retry-after': String(retry) }),
    });
    res.end(body);
  };
  const http = createServer((req, res) => {
    answer(req, res).catch((problem: unknown) => {
      problems.push(problem);
      res.destroy();
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const at = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const proxy: ApiProxy = {
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxy', cluster: { server: at } }],
      users: [{ name: 'proxy', user: { token: 'any' } }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
      'current-context': 'proxy',
    }),
    interposed: {},
    problems,
    async close() {
      http.closeAllConnections();
      http.close();
      await dispatcher.close();
    },
  };
  return proxy;
}
