import { CreateScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, imageNames, storage } from '../../world/base/settings.ts';
import { findWorld, processEnv, type World } from '../../world/world.ts';
import {
  clientSettings,
  createFunction,
  createMachine,
  firstExecution,
  outputOf,
  roleArn,
  run,
} from './emulator.ts';

let world: World;

beforeAll(() => {
  const found = findWorld(process.env.HOLDFAST_WORLD ?? '');
  if (!found) throw new Error('HOLDFAST_WORLD names no world that is up');
  world = found;
});

async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const [file = '', ...rest] = [...world.enter, 'kubectl', ...args];
  const { stdout } = await execa(file, rest, { env: processEnv(world), input });
  return stdout;
}

describe('the emulated cloud', () => {
  const suffix = Date.now().toString(36);
  const flaky = `world-flaky-${suffix}`;
  const broken = `world-broken-${suffix}`;

  it('lets Retry and Catch see the name of a Lambda’s error', async () => {
    const thrower = (name: string, when: string) => `
      const fs = require('node:fs');
      exports.handler = async (event) => {
        const file = require('node:os').tmpdir() + '/' + event.counter;
        fs.appendFileSync(file, '.');
        const count = fs.readFileSync(file, 'utf8').length;
        if (${when}) throw Object.assign(new Error('as asked'), { name: '${name}' });
        return { count };
      };`;
    const { region } = account;
    await createFunction(world.endpoint, region, { name: flaky, source: thrower('Busy', 'count < 3') });
    await createFunction(world.endpoint, region, { name: broken, source: thrower('Hopeless', 'true') });

    const machine = await createMachine(world.endpoint, `world-errors-${suffix}`, {
      QueryLanguage: 'JSONata',
      StartAt: 'Flaky',
      States: {
        Flaky: {
          ...invoke(flaky, `flaky-${suffix}`),
          // Only a match by name retries: any other name would end the execution.
          Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 1 }],
          Assign: { count: '{% $states.result.Payload.count %}' },
          Next: 'Broken',
        },
        Broken: {
          ...invoke(broken, `broken-${suffix}`),
          Catch: [
            { ErrorEquals: ['Busy'], Next: 'Wrong' },
            { ErrorEquals: ['Hopeless'], Output: '{% $states.errorOutput.Error %}', Next: 'Caught' },
          ],
          Next: 'Wrong',
        },
        Caught: { Type: 'Pass', Output: { count: '{% $count %}', caught: '{% $states.input %}' }, End: true },
        Wrong: { Type: 'Fail', Error: 'Wrong' },
      },
    });

    const output = await outputOf(world.endpoint, await run(world.endpoint, machine));
    expect(output).toEqual({ count: 3, caught: 'Hopeless' });
  });

  it('tells a Lambda beside its input which execution calls it', async () => {
    const told = `world-told-${suffix}`;
    const source = 'exports.handler = async (event, context) => ({ event, told: context.clientContext });';
    await createFunction(world.endpoint, account.region, { name: told, source });
    const args = {
      FunctionName: told,
      ClientContext: "{% $base64encode($string({'execution': $states.context.Execution.Id})) %}",
      Payload: { a: 1 },
    };
    const tell = { ...invoke(told, ''), Arguments: args, Output: '{% $states.result.Payload %}', End: true };
    const graph = { QueryLanguage: 'JSONata', StartAt: 'Tell', States: { Tell: tell } };
    const machine = await createMachine(world.endpoint, told, graph);

    const execution = await run(world.endpoint, machine);
    expect(await outputOf(world.endpoint, execution)).toEqual({ event: { a: 1 }, told: { execution } });
  });

  it('puts the scheduled time into the input of a schedule', async () => {
    const pass = { StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } };
    const machine = await createMachine(world.endpoint, `world-scheduled-${suffix}`, pass);
    const at = new Date(Date.now() + 1000).toISOString().slice(0, 19);
    const schedule = new CreateScheduleCommand({
      Name: `world-${suffix}`,
      ScheduleExpression: `at(${at})`,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: machine, RoleArn: roleArn, Input: '{"scheduledTime":"<aws.scheduler.scheduled-time>"}' },
    });
    await new SchedulerClient(clientSettings(world.endpoint)).send(schedule);

    const execution = await firstExecution(world.endpoint, machine);
    expect(await outputOf(world.endpoint, execution)).toEqual({ scheduledTime: `${at}Z` });
  });
});

function invoke(functionName: string, counter: string) {
  const args = { FunctionName: functionName, Payload: { counter } };
  return { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', Arguments: args };
}

describe('the embedded cluster', () => {
  const namespace = `world-${Date.now().toString(36)}`;

  afterAll(async () => {
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  });

  it('has one node, which is Ready', async () => {
    const ready = '{.items[*].status.conditions[?(@.type=="Ready")].status}';

    expect(await kubectl(['get', 'nodes', '-o', `jsonpath=${ready}`])).toBe('True');
  });

  it('runs restic in a pod whose volume the test storage driver made and takes back', async () => {
    await kubectl(['create', 'namespace', namespace]);
    await kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(podWithVolume()));
    await kubectl([
      'wait',
      '-n',
      namespace,
      '--for=jsonpath={.status.phase}=Succeeded',
      'pod/restic',
      '--timeout=60s',
    ]);
    const volume = await kubectl([
      'get',
      'pvc',
      'data',
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.volumeName}',
    ]);

    expect(await kubectl(['logs', 'restic', '-n', namespace])).toMatch(
      /created restic repository [0-9a-f]+ at \/data/,
    );
    await kubectl(['delete', 'pod/restic', 'pvc/data', '-n', namespace]);
    await kubectl(['wait', '--for=delete', `pv/${volume}`, '--timeout=30s']);
  });
});

function podWithVolume() {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: {
      storageClassName: storage.className,
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '10Mi' } },
    },
  };
  const container = {
    name: 'restic',
    image: imageNames.restic,
    args: ['init', '--repo', '/data/repository'],
    env: [{ name: 'RESTIC_PASSWORD', value: 'test' }],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  };
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const spec = { restartPolicy: 'Never', containers: [container], volumes };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'restic' }, spec };
  return { apiVersion: 'v1', kind: 'List', items: [claim, pod] };
}
