import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { account } from '../../world/base/settings.ts';

/** The emulator enforces no roles; any name will do. */
export const roleArn = `arn:aws:iam::${account.id}:role/any`;

/** Settings of every SDK client that talks to a world. */
export function clientSettings(endpoint: string) {
  const { region, accessKeyId, secretAccessKey } = account;
  return { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
}

/** Creates a state machine and returns its ARN. */
export async function createMachine(endpoint: string, name: string, definition: unknown): Promise<string> {
  const create = { name, roleArn, definition: JSON.stringify(definition) };
  const created = await new SFNClient(clientSettings(endpoint)).send(new CreateStateMachineCommand(create));
  return created.stateMachineArn ?? '';
}

/** Starts an execution without input. */
export async function run(endpoint: string, stateMachineArn: string): Promise<string> {
  const start = new StartExecutionCommand({ stateMachineArn, input: '{}' });
  return (await new SFNClient(clientSettings(endpoint)).send(start)).executionArn ?? '';
}

/** Waits for an execution that somebody else starts; the emulator looks at schedules every ten seconds. */
export async function firstExecution(endpoint: string, stateMachineArn: string): Promise<string> {
  const client = new SFNClient(clientSettings(endpoint));
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn }));
    if (executions?.[0]?.executionArn) return executions[0].executionArn;
    await sleep(500);
  }
  throw new Error('nobody started the machine');
}

/** Waits for the end of an execution. */
export async function outputOf(endpoint: string, executionArn: string): Promise<unknown> {
  const client = new SFNClient(clientSettings(endpoint));
  for (;;) {
    const state = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (state.status === 'SUCCEEDED') return JSON.parse(state.output ?? 'null');
    if (state.status !== 'RUNNING') throw new Error(`${state.status}: ${state.error} ${state.cause}`);
    await sleep(200);
  }
}

/** A Lambda function of one file, as the emulator takes it. */
export interface TinyFunction {
  readonly name: string;
  /** CommonJS source of index.js. */
  readonly source: string;
}

/**
 * Creates a function by a plain request. The emulator checks no signature; the header only carries
 * the service and the region, so no further SDK client is needed for this.
 */
export async function createFunction(endpoint: string, region: string, { name, source }: TinyFunction) {
  const scope = `test/20260101/${region}/lambda/aws4_request`;
  const answer = await fetch(`${endpoint}/2015-03-31/functions`, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      FunctionName: name,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/any',
      Timeout: 10,
      Code: { ZipFile: zip('index.js', Buffer.from(source)).toString('base64') },
    }),
  });
  if (!answer.ok) throw new Error(`create ${name}: ${answer.status} ${await answer.text()}`);
}

/** A zip archive of one stored file. */
function zip(name: string, content: Buffer): Buffer {
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([signature(0x04034b50), common, Buffer.from(name), content]);
  const rest = Buffer.alloc(14);
  // Upper half of the external attributes: a regular file, readable by all.
  rest.writeUInt32LE((0o100644 << 16) >>> 0, 6);
  const central = Buffer.concat([signature(0x02014b50), uint16(20), common, rest, Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, signature(0x06054b50), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** What a function returned, or its error, and the end of its log. */
export interface Invoked {
  readonly payload: unknown;
  readonly log: string;
}

/** Invokes a function and returns the last 4 KiB of its log with the result. */
export async function invoke(endpoint: string, region: string, name: string): Promise<Invoked> {
  const answer = await fetch(`${endpoint}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    headers: { ...authorization('lambda', region), 'x-amz-log-type': 'Tail' },
    body: '{}',
  });
  const log = Buffer.from(answer.headers.get('x-amz-log-result') ?? '', 'base64').toString();
  if (!answer.ok) throw new Error(`invoke ${name}: ${answer.status} ${await answer.text()}`);
  return { payload: await answer.json(), log };
}

/** A deployed CloudWatch alarm. */
export interface DeployedAlarm {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
  readonly Threshold: number;
  readonly ComparisonOperator: string;
  readonly TreatMissingData: string;
}

/** The deployed alarms whose names begin so. */
export async function deployedAlarms(
  endpoint: string,
  region: string,
  prefix: string,
): Promise<DeployedAlarm[]> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      ...authorization('monitoring', region),
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'GraniteServiceVersion20100801.DescribeAlarms',
    },
    body: JSON.stringify({ AlarmNamePrefix: prefix, MaxRecords: 100 }),
  });
  if (!answer.ok) throw new Error(`describe alarms: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { MetricAlarms: DeployedAlarm[] }).MetricAlarms;
}

const authorization = (service: string, region: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});
