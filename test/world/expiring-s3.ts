import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * FAKE, in one respect: the emulator's S3 knows no expiry, so this stands before it and refuses requests that are
 * signed with an access key whose time is over, as S3 does. Everything else is passed on as it is.
 */
export async function expiringS3(to: URL, until: ReadonlyMap<string, Date>) {
  const seen: string[] = [];
  const refused: string[] = [];
  const server = createServer((req, res) => {
    const key = /Credential=([^/]+)\//.exec(req.headers.authorization ?? '')?.[1] ?? '';
    if (seen.at(-1) !== key) seen.push(key);
    const end = until.get(key);
    if (!end || end < new Date()) {
      refused.push(key);
      req.resume();
      res.writeHead(400, { 'content-type': 'application/xml' });
      res.end('<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>');
      return;
    }
    const on = request(
      { host: to.hostname, port: to.port, method: req.method, path: req.url, headers: req.headers },
      (answer) => {
        res.writeHead(answer.statusCode as number, answer.headers);
        answer.pipe(res);
      },
    );
    on.on('error', () => res.destroy());
    req.pipe(on);
  });
  server.listen(0, to.hostname);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${to.hostname}:${port}`,
    /** Access keys in the order in which they came to be used. */
    seen,
    refused,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
