import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What there is in a fake AWS. */
export interface FakeAwsOptions {
  /** ARN of whose credentials the callers have; its account and partition are the callers'. */
  readonly caller: string;
  /** Buckets that exist. They hold no objects. */
  readonly buckets: readonly string[];
  /** Folders (common prefixes) in every bucket, each ending with a slash. */
  readonly folders?: readonly string[];
}

/** A fake AWS on this machine, and what it was asked for. */
export interface FakeAws {
  /** The environment of a process that works on it. */
  readonly env: Readonly<Record<string, string>>;
  /** Buckets that were asked for, whether they exist or not. */
  readonly buckets: ReadonlySet<string>;
  /** State machines that were listed or started. */
  readonly machines: ReadonlySet<string>;
  /** Actions of Step Functions and Secrets Manager that were called. */
  readonly actions: ReadonlySet<string>;
  /** Number of requests of any kind. */
  readonly requests: () => number;
  close(): Promise<void>;
}

/** Answers STS, Step Functions, Secrets Manager and S3 as far as the command line asks them; refuses all else by 501. */
export async function fakeAws({ caller, buckets, folders = [] }: FakeAwsOptions): Promise<FakeAws> {
  const asked = new Set<string>();
  const machines = new Set<string>();
  const actions = new Set<string>();
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests++;
    const body = await bodyOf(request);
    const target = String(request.headers['x-amz-target'] ?? '');
    if (body.includes('GetCallerIdentity')) return xml(response, identity(caller));
    if (target) {
      const input = JSON.parse(body) as Record<string, unknown>;
      const action = target.split('.')[1] as string;
      actions.add(action);
      if (input.stateMachineArn) machines.add(String(input.stateMachineArn));
      return json(response, ANSWERS[action]);
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://aws');
    const [, bucket = '', key] = pathname.split('/');
    asked.add(bucket);
    if (!buckets.includes(bucket)) return xml(response, '<Error><Code>NoSuchBucket</Code></Error>', 404);
    return key
      ? xml(response, '<Error><Code>NoSuchKey</Code></Error>', 404)
      : xml(response, listing(folders, searchParams.get('prefix') ?? ''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    env: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_MAX_ATTEMPTS: '1',
    },
    buckets: asked,
    machines,
    actions,
    requests: () => requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const ANSWERS: Readonly<Record<string, object>> = {
  ListExecutions: { executions: [] },
  StartExecution: { executionArn: 'started', startDate: 0 },
  DescribeSecret: { VersionIdsToStages: { one: ['AWSCURRENT', 'AWSPENDING'] } },
  GetSecretValue: { SecretString: 'master' },
  UpdateSecretVersionStage: {},
};

const identity = (arn: string) => `<GetCallerIdentityResponse><GetCallerIdentityResult>
<Arn>${arn}</Arn><UserId>AIDA</UserId><Account>${arn.split(':')[4]}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;

const listing = (folders: readonly string[], prefix: string) =>
  `<ListBucketResult>${folders
    .filter((folder) => folder.startsWith(prefix))
    .map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`)
    .join('')}</ListBucketResult>`;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function xml(response: ServerResponse, body: string, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
}

function json(response: ServerResponse, answer: object | undefined): void {
  response
    .writeHead(answer ? 200 : 501, { 'content-type': 'application/x-amz-json-1.1' })
    .end(JSON.stringify(answer ?? { message: 'the fake does not know this' }));
}
