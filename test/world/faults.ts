import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import type { ClusterEndpoint } from '../../functions/adapters/kubernetes/access.ts';

/** What goes wrong with a request: an answer in place of the server's, or its answer cut off after some bytes. */
export type Fault =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | { readonly cutAfter: number };

export interface FaultyServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A way to the real API server on which `fault` decides what goes wrong; undefined lets a request pass. */
export async function faultyServer(
  { server, ca, cert, key }: ClusterEndpoint,
  fault: (url: URL, token: string) => Fault | undefined,
): Promise<FaultyServer> {
  const dispatcher = new Agent({ connect: { ca, cert, key } as Agent.Options['connect'] & object });
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const url = new URL(req.url ?? '/', server);
    const wrong = fault(url, (req.headers.authorization ?? '').replace('Bearer ', ''));
    if (wrong && 'status' in wrong) {
      res.writeHead(wrong.status, wrong.headers).end(wrong.body ?? '{}');
      return;
    }
    const real = await request(url, { dispatcher, headers: { accept: 'application/json' } });
    const body = Buffer.from(await real.body.arrayBuffer());
    res.writeHead(real.statusCode, { 'content-length': body.length });
    if (!wrong) res.end(body);
    else res.write(body.subarray(0, wrong.cutAfter), () => res.destroy());
  };
  const http = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async close() {
      http.closeAllConnections();
      http.close();
      await dispatcher.close();
    },
  };
}
