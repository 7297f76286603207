import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openVault } from '../../../functions/adapters/s3/vault.ts';
import type { Vault } from '../../../functions/ports/vault.ts';

/** Larger than what sockets and streams hold in between. */
const BODY = Buffer.alloc(4 * 1024 * 1024, 'holdfast');
const sha256 = createHash('sha256').update(BODY).digest();
const BROKEN = { name: 'VaultUnavailable', message: expect.stringContaining('some/key') };

/** An S3 with one object. `send`: how it sends the body of the next answers. */
let server: Server;
let vault: Vault;
let send: (response: ServerResponse) => void;
let ended: number;

const whole = (response: ServerResponse) => response.end(BODY);
const half = (response: ServerResponse) => {
  response.write(BODY.subarray(0, BODY.length / 2), () => response.socket?.destroy());
};
/** So little that nothing in between waits for a reader, so that the end is seen at once. */
const little = (response: ServerResponse) => {
  response.write(BODY.subarray(0, 100), () => response.socket?.destroy());
};

async function serve(headers: Record<string, string>): Promise<void> {
  ended = 0;
  server = createServer((request, response) => {
    request.socket.once('close', () => ended++);
    if (request.url?.startsWith('/vault/some/key')) {
      response.writeHead(200, { 'content-length': BODY.length, etag: '"1"', ...headers });
      send(response);
    } else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const s3 = new S3Client({
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forcePathStyle: true,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  vault = openVault('vault', 'eu-west-1', s3);
}
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe.each([
  ['without a checksum', {}],
  [
    'with a checksum',
    { 'x-amz-checksum-sha256': sha256.toString('base64'), 'x-amz-checksum-type': 'FULL_OBJECT' },
  ],
])('an object %s', (_, headers: Record<string, string>) => {
  beforeEach(() => serve(headers));

  it('is read whole by all verbs', async () => {
    send = whole;
    expect((await vault.get('some/key')).equals(BODY)).toBe(true);
    expect((await vault.find('some/key'))?.body.equals(BODY)).toBe(true);
    expect((await buffer(await vault.stream('some/key'))).equals(BODY)).toBe(true);
    expect(await vault.digest('some/key')).toEqual({ sha256: sha256.toString('hex'), bytes: BODY.length });
  });

  it.each([
    ['get', () => vault.get('some/key')],
    ['find', () => vault.find('some/key')],
    ['stream', async () => buffer(await vault.stream('some/key'))],
    ['digest', () => vault.digest('some/key')],
  ])('whose connection breaks half way is worth another %s', async (_, read) => {
    send = half;
    await expect(read()).rejects.toMatchObject(BROKEN);
  });

  it('whose connection breaks before the first read fails that read, and not the process', async () => {
    send = little;
    const body = await vault.stream('some/key');
    await sleep(50);
    await expect(buffer(body)).rejects.toMatchObject(BROKEN);
  });

  it('that nobody reads to its end lets its connection go', async () => {
    send = (response) => response.write(BODY);
    for (const read of [async () => undefined, (body: Readable) => once(body, 'readable')]) {
      const before = ended;
      const body = await vault.stream('some/key');
      await read(body);
      body.destroy();
      await expect.poll(() => ended).toBe(before + 1);
    }
  });

  it('that breaks while it is uploaded elsewhere says which one broke, and is worth another try', async () => {
    send = half;
    const body = await vault.stream('some/key');
    await expect(vault.upload('other', body)).rejects.toMatchObject(BROKEN);
  });
});

it('an object that is missing is no broken one', async () => {
  await serve({});
  await expect(vault.stream('none')).rejects.toMatchObject({ name: 'VaultObjectMissing' });
  expect(await vault.digest('none')).toBeUndefined();
});
