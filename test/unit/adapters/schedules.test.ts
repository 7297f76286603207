import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { scheduleCreatedAt } from '../../../functions/adapters/scheduler/schedules.ts';

let server: Server;
let asked: string[];
let answer: { status: number; type?: string; body: object };

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(answer.status, {
      'x-amzn-errortype': answer.type ?? '',
      'content-type': 'application/json',
    });
    response.end(JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server.close();
});

const created = () => scheduleCreatedAt('eu-west-1', 'holdfast-prod', 'backup-nightly');

describe('the creation of a schedule', () => {
  it('is asked for by group and name', async () => {
    answer = { status: 200, body: { CreationDate: 1_767_225_600 } };
    expect(await created()).toEqual(new Date('2026-01-01T00:00:00Z'));
    expect(asked).toEqual(['/schedules/backup-nightly?groupName=holdfast-prod']);
  });

  it('is unknown of one that does not exist', async () => {
    answer = { status: 404, type: 'ResourceNotFoundException', body: { Message: 'no such schedule' } };
    expect(await created()).toBeUndefined();
  });

  it('is an error that names it when it cannot be told: nothing follows from a refusal', async () => {
    answer = { status: 403, type: 'AccessDeniedException', body: { Message: 'not you' } };
    await expect(created()).rejects.toMatchObject({
      name: 'VaultUnavailable',
      message: expect.stringMatching(/schedule holdfast-prod\/backup-nightly/),
    });
  });
});
