import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jobManifest } from '../../functions/core/jobs/job-manifest.ts';
import { backupArgs, DEFAULT_RESTIC, initArgs } from '../../functions/core/restic/restic.ts';
import { restic } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { JOBS } from '../support/selection.ts';
import { makeVault, REGION } from '../support/world.ts';
import { expiringS3 } from './expiring-s3.ts';

const KEY = 'AKIAOFTHEPOD';
const TOKEN = 'the token of the pod';
const folder = mkdtempSync(join(tmpdir(), 'holdfast-identity-'));
const tokens: (string | undefined)[] = [];

/** FAKE: stands in for the agent of EKS Pod Identity, which answers pods at an address of their node. */
const agent = createServer((request, answer) => {
  tokens.push(request.headers.authorization);
  answer.setHeader('content-type', 'application/json');
  answer.end(
    JSON.stringify({
      AccessKeyId: KEY,
      SecretAccessKey: 'secret',
      Token: 'session',
      Expiration: new Date(Date.now() + 3_600_000).toISOString(),
    }),
  );
});
let s3: Awaited<ReturnType<typeof expiringS3>>;

beforeAll(async () => {
  agent.listen(0, '127.0.0.1');
  await once(agent, 'listening');
  await makeVault('pod-identity');
  s3 = await expiringS3(
    new URL(process.env.AWS_ENDPOINT_URL ?? ''),
    new Map([[KEY, new Date('2099-01-01')]]),
  );
  writeFileSync(join(folder, 'token'), TOKEN);
  writeFileSync(join(folder, 'password'), 'password');
});
afterAll(async () => {
  agent.close();
  await s3.close();
  rmSync(folder, { recursive: true });
});

/** The environment of the one container of a Job, with the Secret's files in `folder`. */
function environmentOf(repository: string): Record<string, string> {
  const job = {
    ...{ run: 'daily-1', id: 'shop.data', namespace: 'shop', settings: JOBS, capabilities: [] },
    steps: [{ name: 'backup', args: [], repository, region: REGION }],
    identity: 'holdfast-backup',
  };
  const { spec } = jobManifest(job, 1, 'holdfast-x') as unknown as {
    spec: { template: { spec: { containers: { env: { name: string; value: string }[] }[] } } };
  };
  const env = spec.template.spec.containers[0]?.env ?? [];
  return Object.fromEntries(
    env.map(({ name, value }) => [
      name,
      value.replace('/holdfast', folder).replace('/cache', `${folder}/cache`),
    ]),
  );
}

it('restic takes the identity that EKS gives to a pod, when its Job names no credentials', async () => {
  const env = {
    ...environmentOf(`s3:${s3.url}/pod-identity/shop`),
    // What the admission webhook of EKS adds to the pod of an account with an association.
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${(agent.address() as AddressInfo).port}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'token'),
    HOME: folder,
  };
  const source = { namespace: 'shop', pvc: 'data' };
  const backup = backupArgs(
    { cluster: 'prod', run: { backup: 'daily-1', plan: 'daily' } },
    source,
    DEFAULT_RESTIC,
  );
  // There is no volume here: a file of this test takes its place.
  const args = backup.map((a) => (a === '/data/shop/data' ? join(folder, 'token') : a));
  for (const command of [initArgs(), args]) {
    const child = spawn(join(folderOf(restic), 'restic'), command, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const [code] = await once(child, 'close');
    expect([code, said]).toEqual([0, expect.any(String)]);
  }
  expect(s3.seen).toEqual([KEY]);
  expect(new Set(tokens)).toEqual(new Set([TOKEN]));
});
