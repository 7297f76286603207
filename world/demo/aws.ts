import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { type Machine, machineArn } from '../../functions/contract/names.ts';
import { account } from '../base/settings.ts';

/** One ended (or running) execution of a state machine. */
export interface Execution {
  readonly arn: string;
  readonly status: string;
  readonly seconds: number;
  readonly input: Record<string, unknown>;
  readonly output: Record<string, unknown>;
  readonly problem: string;
}

/** What demo and world tests do in AWS, as a person would with the console. */
export function awsOf(region: string, cluster: string) {
  const sfn = new SFNClient({ region });
  const secrets = new SecretsManagerClient({ region });
  const arnOf = (machine: Machine) =>
    machineArn({ partition: account.partition, region, account: account.id }, cluster, machine);
  const parse = (json: string | undefined) => JSON.parse(json ?? '{}') as Record<string, unknown>;

  async function describe(executionArn: string): Promise<Execution> {
    const e = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const seconds = ((e.stopDate ?? new Date()).getTime() - (e.startDate ?? new Date()).getTime()) / 1000;
    const problem =
      e.status === 'SUCCEEDED' || e.status === 'RUNNING' ? '' : `${e.error ?? e.status}: ${e.cause ?? ''}`;
    return {
      arn: executionArn,
      status: e.status ?? '',
      seconds,
      input: parse(e.input),
      output: parse(e.output),
      problem,
    };
  }
  return {
    describe,
    async putSecret(name: string, value: string): Promise<void> {
      try {
        await secrets.send(new CreateSecretCommand({ Name: name, SecretString: value }));
      } catch (error) {
        if ((error as Error).name !== 'ResourceExistsException') throw error;
        await secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString: value }));
      }
    },
    /** Executions of a machine, newest first. */
    async executions(machine: Machine): Promise<Execution[]> {
      const { executions = [] } = await sfn.send(
        new ListExecutionsCommand({ stateMachineArn: arnOf(machine) }),
      );
      const sorted = executions.sort((a, b) => (b.startDate?.getTime() ?? 0) - (a.startDate?.getTime() ?? 0));
      return Promise.all(sorted.map((e) => describe(e.executionArn as string)));
    },
    async start(machine: Machine, input: object): Promise<string> {
      const { executionArn } = await sfn.send(
        new StartExecutionCommand({ stateMachineArn: arnOf(machine), input: JSON.stringify(input) }),
      );
      return executionArn as string;
    },
    /** Waits for an execution to end, calling back with the state it is in. */
    async wait(
      executionArn: string,
      onState: (state: string) => void = () => undefined,
      timeoutSeconds = 600,
    ): Promise<Execution> {
      const deadline = Date.now() + timeoutSeconds * 1000;
      for (;;) {
        const execution = await describe(executionArn);
        if (execution.status !== 'RUNNING') return execution;
        if (Date.now() > deadline) throw new Error(`${executionArn} did not end within ${timeoutSeconds} s`);
        const history = await sfn.send(
          new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 20 }),
        );
        const state = history.events?.find((e) => e.stateEnteredEventDetails)?.stateEnteredEventDetails?.name;
        if (state) onState(state);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    },
  };
}

export type Aws = ReturnType<typeof awsOf>;

/** A JSON document of a bucket. */
export async function readJson<T>(region: string, bucket: string, key: string): Promise<T> {
  const s3 = new S3Client({ region, forcePathStyle: true });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return JSON.parse((await Body?.transformToString()) ?? 'null') as T;
}
