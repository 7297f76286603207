import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { minioTool } from '../../world/tools/minio.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { REGION } from '../support/world.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** A policy of IAM. */
export interface Policy {
  readonly Statement: readonly {
    readonly Effect: 'Allow' | 'Deny';
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
    readonly Condition?: unknown;
  }[];
}

/** A second S3, which enforces policies, versions and locks as the emulator does not. On loopback, its data in a folder that goes with it. */
export interface Minio {
  readonly url: string;
  /** Whoever may do everything. */
  readonly root: Keys;
  client(keys: Keys): S3Client;
  /** Credentials that can do what a policy says and nothing else. */
  session(policy: Policy): Promise<Keys>;
  stop(): Promise<void>;
}

export async function startMinio(): Promise<Minio> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-minio-'));
  const root = { accessKeyId: 'root', secretAccessKey: randomBytes(20).toString('hex') };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = join(folderOf(minioTool), 'minio');
  const server = spawn(program, ['server', '--quiet', '--address', `127.0.0.1:${port}`, folder], {
    stdio: 'ignore',
    env: {
      MINIO_ROOT_USER: root.accessKeyId,
      MINIO_ROOT_PASSWORD: root.secretAccessKey,
      MINIO_SITE_REGION: REGION,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      MINIO_CI_CD: '1', // takes a folder of the root file system
      HOME: folder,
    },
  });
  const stop = async () => {
    if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit');
    rmSync(folder, { recursive: true, force: true });
  };
  await untilReady(url, server).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    url,
    root,
    stop,
    client: (credentials) =>
      new S3Client({ region: REGION, endpoint: url, forcePathStyle: true, credentials, maxAttempts: 1 }),
    async session(policy) {
      const sts = new STSClient({ region: REGION, endpoint: url, credentials: root });
      const { Credentials: c } = await sts.send(
        new AssumeRoleCommand({
          RoleArn: 'arn:aws:iam::000000000000:role/any',
          RoleSessionName: 'session',
          Policy: JSON.stringify({ Version: '2012-10-17', ...withoutKms(policy) }),
        }),
      );
      return {
        accessKeyId: c?.AccessKeyId ?? '',
        secretAccessKey: c?.SecretAccessKey ?? '',
        sessionToken: c?.SessionToken ?? '',
      };
    },
  };
}

/** MinIO takes no policy that names an action which it does not know, and it knows none of AWS' KMS. */
const withoutKms = ({ Statement }: Policy): Policy => ({
  Statement: Statement.filter((s) => ![s.Action].flat().some((a) => /^(kms|logs):/.test(String(a)))),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  let problem: unknown;
  server.on('error', (error) => {
    problem = error;
  });
  for (;;) {
    const answer = await fetch(`${url}/minio/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (problem || server.exitCode !== null)
      throw new Error('MinIO ended; `npm test` makes it, see docs/local-world.md', { cause: problem });
    await sleep(50);
  }
}
