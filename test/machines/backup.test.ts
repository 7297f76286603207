import { describe, expect, it } from 'vitest';
import { type Answers, simulate, TaskError } from './simulate.ts';

const NAME = { plan: 'apps', backup: 'apps-20260131020000' };
const whole: Answers = {
  'open-backup': () => ({ ...NAME, outcome: 'opened' }),
  'export-resources': () => ({ ...NAME, shards: 0, items: 63 }),
  'reconcile-volumes': () => ({ running: 0, done: 1, failed: 0, waitSeconds: 0 }),
  'reconcile-control-plane': () => ({ running: 0, done: 0, failed: 0, waitSeconds: 0 }),
  'commit-backup': () => ({ ...NAME, phase: 'Completed', items: 63, volumes: 1, reasons: 0 }),
  'machine:replicate': () => ({ objects: 15, copied: 3, remaining: 0 }),
  'machine:prune': () => ({ removed: 1 }),
  'fail-backup': () => ({ ...NAME, error: 'ClusterAccessDenied' }),
};
const backUp = (answers: Answers = {}, input = {}) => simulate('backup', input, { ...whole, ...answers });
const fail = (name: string) => () => {
  throw new TaskError(name);
};

describe('the backup machine', () => {
  it('ends with the counts of the recovery point, its replica and what was pruned', async () => {
    const { status, output } = await backUp();
    expect({ status, output }).toEqual({
      status: 'SUCCEEDED',
      output: {
        ...NAME,
        phase: 'Completed',
        items: 63,
        volumes: 1,
        reasons: 0,
        replica: { objects: 15, copied: 3 },
        pruned: 1,
      },
    });
  });

  it('tells open-backup what was typed, when it started and which execution it is', async () => {
    const { calls } = await backUp({}, { plan: 'apps' });
    expect(calls[0]).toEqual({
      task: 'open-backup',
      input: {
        input: { plan: 'apps' },
        startedAt: '2026-01-31T02:00:00Z',
        execution: 'arn:aws:states:::execution',
      },
    });
  });

  it.each(['finished', 'skipped'])('does nothing more when open-backup says %s', async (outcome) => {
    const { status, calls } = await backUp({ 'open-backup': () => ({ ...NAME, outcome }) });
    expect([status, calls.map((c) => c.task)]).toEqual(['SUCCEEDED', ['open-backup']]);
  });

  it('reads a large cluster in shards and joins them', async () => {
    const { calls, output } = await backUp({
      'export-resources': () => ({ ...NAME, shards: 2, items: 0, bucket: 'vault', list: 'shards.json' }),
      items: ({ Bucket, Key }: { Bucket: string; Key: string }) =>
        `${Bucket}/${Key}` === 'vault/shards.json' ? [{ shard: 0 }, { shard: 1 }] : undefined,
      'export-shard': ({ shard }: { shard: number }) => ({ shard, items: 31 }),
      'join-export': () => ({ ...NAME, shards: 0, items: 62 }),
    });
    const split = calls.filter((c) => /shard|join/.test(c.task));
    expect(split).toEqual([
      { task: 'export-shard', input: { ...NAME, shard: 0 } },
      { task: 'export-shard', input: { ...NAME, shard: 1 } },
      { task: 'join-export', input: NAME },
    ]);
    expect(output).toMatchObject({ phase: 'Completed' });
  });

  it('asks for the volumes again after the seconds it was told, until there is nothing to wait for', async () => {
    const waits = [4, 7, 0];
    const { waits: waited } = await backUp({ 'reconcile-volumes': () => ({ waitSeconds: waits.shift() }) });
    expect(waited).toEqual([4, 7]);
  });

  it('replicates before it prunes, and both only after the commit', async () => {
    const { calls } = await backUp();
    expect(calls.slice(-3).map((c) => c.task)).toEqual([
      'commit-backup',
      'machine:replicate',
      'machine:prune',
    ]);
  });

  it('prunes nothing when the replica is not proven', async () => {
    const { error, calls } = await backUp({ 'machine:replicate': fail('States.TaskFailed') });
    expect([error, calls.at(-1)?.task]).toEqual(['ReplicaNotProven', 'machine:replicate']);
  });

  it('says so when only pruning failed', async () => {
    expect((await backUp({ 'machine:prune': fail('States.TaskFailed') })).error).toBe('PruneFailed');
  });

  it('is red when something is missing from the recovery point, after replica and retention', async () => {
    const partial = { ...NAME, phase: 'PartiallyFailed', items: 63, volumes: 1, reasons: 2 };
    const { error, cause, calls } = await backUp({ 'commit-backup': () => partial });
    expect([error, cause, calls.at(-1)?.task]).toEqual([
      'PartiallyFailed',
      'apps-20260131020000 is incomplete: its record.json lists 2 reasons',
      'machine:prune',
    ]);
  });

  it.each(['export-resources', 'reconcile-volumes', 'reconcile-control-plane', 'commit-backup'])(
    'gives fail-backup the name of what stopped %s, and ends with that name',
    async (task) => {
      const { error, calls } = await backUp({ [task]: fail('ClusterAccessDenied') });
      expect([error, calls.at(-1)]).toEqual([
        'ClusterAccessDenied',
        { task: 'fail-backup', input: { ...NAME, error: 'ClusterAccessDenied', cause: 'because' } },
      ]);
    },
  );

  it('tries again what passes by itself, five times, and what does not pass not at all', async () => {
    const attempts = async (name: string) =>
      (await backUp({ 'export-resources': fail(name) })).calls.filter((c) => c.task === 'export-resources')
        .length;
    expect([await attempts('ClusterBusy'), await attempts('InputInvalid')]).toEqual([6, 1]);
  });
});

describe('the replicate machine', () => {
  it('copies again until nothing remains', async () => {
    const remaining = [12, 3, 0];
    const { calls, output } = await simulate('replicate', NAME, {
      'replicate-backup': () => ({
        ...NAME,
        objects: 15,
        copied: 15,
        remaining: remaining.shift(),
        waitSeconds: 0,
      }),
    });
    expect([calls.length, output]).toEqual([
      3,
      { ...NAME, objects: 15, copied: 15, remaining: 0, waitSeconds: 0 },
    ]);
  });

  it('waits while a prune is running, and copies under the name of its execution', async () => {
    const waits = [30, 0];
    const { calls, waits: waited } = await simulate('replicate', NAME, {
      'replicate-backup': () => ({ ...NAME, remaining: waits.length - 1, waitSeconds: waits.shift() }),
    });
    expect([calls.length, waited, calls[0]?.input]).toEqual([
      2,
      [30],
      { ...NAME, execution: 'arn:aws:states:::execution' },
    ]);
  });

  it('fails when the copies differ for good', async () => {
    const { status, error } = await simulate('replicate', NAME, {
      'replicate-backup': fail('ReplicaMismatch'),
    });
    expect([status, error]).toEqual(['FAILED', 'ReplicaMismatch']);
  });
});
