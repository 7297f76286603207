import { describe, expect, it } from 'vitest';
import { simulate, TaskError } from './simulate.ts';

const state = (over: object) => ({
  startedAt: '2026-01-31T02:00:00Z',
  copy: 'primary',
  checked: 0,
  extended: 0,
  governed: 0,
  ...over,
});

describe('the lock machine', () => {
  it('calls again with what it was given, until nothing remains in either copy', async () => {
    const answers = [
      state({ after: { key: 'restic/paris/shop/data/00/1', version: 'v' }, checked: 9, remaining: 1 }),
      state({ copy: 'replica', checked: 12, remaining: 1 }),
      state({ copy: 'replica', checked: 24, remaining: 0 }),
    ];
    const { calls, output } = await simulate('lock', {}, { 'extend-locks': () => answers.shift() });
    expect(calls.map((c) => c.input)).toEqual([
      { startedAt: '2026-01-31T02:00:00Z' },
      state({ after: { key: 'restic/paris/shop/data/00/1', version: 'v' }, checked: 9 }),
      state({ copy: 'replica', checked: 12 }),
    ]);
    expect(output).toMatchObject({ checked: 24, remaining: 0 });
  });

  it('fails when a bucket has no locks', async () => {
    const { error } = await simulate(
      'lock',
      {},
      {
        'extend-locks': () => {
          throw new TaskError('VaultNotLocked');
        },
      },
    );
    expect(error).toBe('VaultNotLocked');
  });
});
