import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as z from 'zod/mini';
import { handler } from '../../../functions/runtime/handler.ts';
import { logger, logRun } from '../../../functions/runtime/logging.ts';

const EXECUTION = 'arn:aws:states:eu-west-1:1:execution:holdfast-prod-backup:x';
const Input = z.strictObject({ plan: z.string(), backup: z.string(), secret: z.optional(z.string()) });
const event = { plan: 'nightly', backup: 'nightly-20260131020000' };
const context = (clientContext: unknown = { execution: EXECUTION }) => ({
  clientContext,
  getRemainingTimeInMillis: () => 1000,
});

let written: string[];
beforeEach(() => {
  written = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => vi.restoreAllMocks());
const lines = () => written.map((text) => JSON.parse(text) as Record<string, unknown>);

/** Invokes a function that is given `work`, as Lambda does. */
const invoke = (work: () => Promise<unknown>, input: unknown = event, told = context()) =>
  handler('commit-backup', Input, work)(input, told as never, undefined as never) as Promise<unknown>;

const whose = { function: 'commit-backup', execution: EXECUTION, version: 'source', ...event };

describe('each line of a function’s log', () => {
  test('says function, execution, backup and version', async () => {
    await invoke(async () => {
      logger.warn('between');
      return {};
    });
    expect(lines().map((line) => line.message)).toEqual([
      'commit-backup starts',
      'between',
      'commit-backup ends',
    ]);
    for (const line of lines()) expect(line).toMatchObject(whose);
  });

  test('says so of a failure, with the name of the error', async () => {
    const failing = invoke(() =>
      Promise.reject(Object.assign(new Error('no'), { name: 'VaultUnavailable' })),
    );
    await expect(failing).rejects.toThrow('no');
    expect(lines().at(-1)).toMatchObject({ ...whose, level: 'ERROR', error: { name: 'VaultUnavailable' } });
  });

  test('says function and execution when the input is refused, and nothing of the input', async () => {
    await expect(invoke(async () => ({}), { plan: 'nightly', cmd: 'hunter2' })).rejects.toMatchObject({
      name: 'InputInvalid',
    });
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatchObject({ function: 'commit-backup', execution: EXECUTION });
    expect(written.join('')).not.toContain('hunter2');
  });

  test('names the restore as soon as the function has named it', async () => {
    await invoke(async () => {
      logRun({ restore: 'restore-1' });
      return {};
    });
    expect(lines().at(-1)).toMatchObject({ restore: 'restore-1' });
  });

  test('has nothing of the invocation before it', async () => {
    await invoke(async () => logRun({ restore: 'restore-1' }));
    await invoke(async () => ({}), event, context(null));
    expect(lines().at(-1)).not.toHaveProperty('restore');
    expect(lines().at(-1)).not.toHaveProperty('execution');
  });
});

describe('of input and result, the log', () => {
  test('holds the names of the run, counts and the end, and no text or list of others', async () => {
    const result = { ...event, phase: 'Failed', items: 3, cause: 'hunter2', namespaces: ['hunter3'] };
    await invoke(async () => result, { ...event, secret: 'hunter4' });
    expect(lines().at(-1)?.result).toEqual({ phase: 'Failed', items: 3 });
    expect(written.join('')).not.toMatch(/hunter/);
  });
});

test.each([undefined, null, {}, { execution: 7 }, 'text'])(
  'a client context like %j, which is not a machine’s, is no blocker',
  async (told) => {
    expect(await invoke(async () => ({ done: 1 }), event, context(told))).toEqual({ done: 1 });
  },
);
