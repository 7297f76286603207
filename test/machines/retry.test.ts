import { describe, expect, it } from 'vitest';
import type { Retrier } from '../../functions/contract/asl-blocks.ts';
import { FUNCTION_NAMES, FUNCTIONS, type FunctionName } from '../../functions/contract/functions.ts';
import { MACHINES, type Machine } from '../../functions/contract/names.ts';
import { definitionOf } from './definition.ts';
import { simulate, TaskError } from './simulate.ts';

/** What every call of a function is retried on. It is written out here: whoever changes it sees what follows. */
const RETRY = [
  {
    ErrorEquals: ['ClusterUnreachable', 'ClusterBusy', 'VaultUnavailable', 'ReplicaMismatch'],
    IntervalSeconds: 5,
    MaxAttempts: 5,
    BackoffRate: 2,
  },
  {
    ErrorEquals: [
      'Lambda.ClientExecutionTimeoutException',
      'Lambda.ServiceException',
      'Lambda.AWSLambdaException',
      'Lambda.SdkClientException',
      'Lambda.TooManyRequestsException',
    ],
    IntervalSeconds: 2,
    MaxAttempts: 6,
    BackoffRate: 2,
    JitterStrategy: 'FULL',
  },
  {
    ErrorEquals: ['States.Timeout', 'Lambda.Unknown', 'Sandbox.Timedout', 'Runtime.ExitError'],
    IntervalSeconds: 5,
    MaxAttempts: 2,
  },
] satisfies Retrier[];

const FIRST: Readonly<Record<Machine, FunctionName>> = {
  backup: 'open-backup',
  restore: 'plan-restore',
  replicate: 'replicate-backup',
  prune: 'prune-backups',
  verify: 'verify-vault',
  lock: 'extend-locks',
};

/** Objects of a definition that invoke a function, wherever they stand. */
function invoking(value: unknown): { Resource: string; Retry?: unknown }[] {
  if (value === null || typeof value !== 'object') return [];
  const own = 'Resource' in value && String(value.Resource).endsWith(':::lambda:invoke') ? [value] : [];
  return [...(own as { Resource: string }[]), ...Object.values(value).flatMap(invoking)];
}

describe.each(MACHINES)('the machine %s', (machine) => {
  const states = invoking(JSON.parse(definitionOf(machine)));

  it('retries every call of a function alike', () => {
    expect(states.length).toBeGreaterThan(0);
    expect(states.map((state) => state.Retry)).toEqual(states.map(() => RETRY));
  });

  it.each(RETRY.flatMap((rule) => rule.ErrorEquals))(
    'calls its first function again after %s',
    async (name) => {
      const errors = [name, 'InputInvalid'];
      const { calls } = await simulate(
        machine,
        { plan: 'apps' },
        {
          [FIRST[machine]]: () => {
            throw new TaskError(errors.shift() ?? 'CalledTooOften');
          },
          'fail-restore': () => ({ restore: 'r', error: 'InputInvalid', cause: 'because' }),
        },
      );
      expect(calls.filter((call) => call.task === FIRST[machine]).length).toBe(2);
    },
  );
});

describe('the waits between calls', () => {
  const waits = async (name: string) => {
    const answers = {
      'extend-locks': () => {
        throw new TaskError(name);
      },
    };
    return (await simulate('lock', {}, answers)).waits;
  };

  it('outlast an outage of two minutes of the cluster or of S3', async () => {
    expect(await waits('VaultUnavailable')).toEqual([5, 10, 20, 40, 80]);
  });

  it('give Lambda two minutes', async () => {
    expect(await waits('Lambda.TooManyRequestsException')).toEqual([2, 4, 8, 16, 32, 64]);
  });

  it('are two for a function that was killed: each call may have run for its whole timeout', async () => {
    expect(await waits('Sandbox.Timedout')).toEqual([5, 10]);
  });
});

it('a state ends within 3 h 35 min at the worst, and so within the day that its machine has', async () => {
  const kinds = RETRY.flatMap((rule) => Array<string>(rule.MaxAttempts).fill(rule.ErrorEquals[0] as string));
  const errors = [...kinds, 'InputInvalid'];
  const { calls, waits } = await simulate(
    'lock',
    {},
    {
      'extend-locks': () => {
        throw new TaskError(errors.shift() ?? 'CalledTooOften');
      },
    },
  );
  const longest = Math.max(...FUNCTION_NAMES.map((name) => FUNCTIONS[name].timeoutSeconds));
  const waited = waits.reduce((sum, wait) => sum + wait, 0);
  expect([calls.length, waited, calls.length * longest + waited]).toEqual([14, 296, 12_896]);
  const limits = MACHINES.map(
    (m) => (JSON.parse(definitionOf(m)) as { TimeoutSeconds: number }).TimeoutSeconds,
  );
  expect(Math.min(...limits)).toBeGreaterThan(12_896);
});
