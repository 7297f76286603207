import { describe, expect, it } from 'vitest';
import { type Answers, simulate, TaskError } from './simulate.ts';

const REF = { restore: 'restore-20260131020000-abcdef', backup: 'apps-20260131010000' };
const planned = { ...REF, plan: 'apps', from: 'primary', dryRun: false, items: 13, volumes: 1 };
const EXECUTION = { startedAt: '2026-01-31T02:00:00Z', execution: 'arn:aws:states:::execution' };
const verified = { ...REF, phase: 'Completed', waitSeconds: 0, created: 13, failed: 0 };
const whole: Answers = {
  'plan-restore': () => planned,
  'apply-resources': () => ({ created: 6, skipped: 0, failed: 0, remaining: 0 }),
  'reconcile-restore-volumes': () => ({ running: 0, done: 1, failed: 0, waitSeconds: 0 }),
  'verify-restore': () => verified,
  'fail-restore': (input: { error: string }) => ({ ...REF, phase: 'Failed', ...input, cause: 'because' }),
};
const restore = (answers: Answers = {}, input: object = { backup: 'latest' }) =>
  simulate('restore', input, { ...whole, ...answers });
const tasks = (calls: readonly { task: string }[]) => calls.map((c) => c.task);
const fail = (name: string) => () => {
  throw new TaskError(name);
};

describe('the restore machine', () => {
  it('fills volumes after what they need exists and before any workload does', async () => {
    const { status, calls } = await restore();
    const stages = calls.map(({ task, input }) =>
      `${task} ${(input as { stage?: number }).stage ?? ''}`.trim(),
    );
    expect([status, stages]).toEqual([
      'SUCCEEDED',
      [
        'plan-restore',
        'apply-resources 1',
        'reconcile-restore-volumes',
        'apply-resources 2',
        'verify-restore',
      ],
    ]);
  });

  it('tells plan-restore what was typed and which execution it is', async () => {
    const { calls } = await restore();
    expect(calls[0]?.input).toEqual({ input: { backup: 'latest' }, ...EXECUTION });
  });

  it('calls a function again that ran out of time, for what remains', async () => {
    const remaining = [5, 0, 0];
    const { calls } = await restore({ 'apply-resources': () => ({ remaining: remaining.shift() }) });
    expect(tasks(calls).filter((t) => t === 'apply-resources')).toHaveLength(3);
  });

  it('asks plan-restore again, with what was typed, while a prune is running', async () => {
    const answers = [
      { ...planned, items: 0, waits: 'a prune' },
      { ...planned, items: 0, waits: 'a prune' },
      planned,
    ];
    const { status, calls, waits } = await restore(
      { 'plan-restore': () => answers.shift() },
      { backup: 'x' },
    );
    expect([status, waits]).toEqual(['SUCCEEDED', [15, 15]]);
    const asked = calls.filter((c) => c.task === 'plan-restore').map((c) => c.input);
    expect(asked).toEqual(Array(3).fill({ input: { backup: 'x' }, ...EXECUTION }));
  });

  it('touches nothing in a dry run', async () => {
    const { status, calls } = await restore({ 'plan-restore': () => ({ ...planned, dryRun: true }) });
    expect([status, tasks(calls)]).toEqual(['SUCCEEDED', ['plan-restore']]);
  });

  it('looks at the volumes again after the seconds it was told', async () => {
    const waits = [5, 9, 0];
    const { waits: waited } = await restore({
      'reconcile-restore-volumes': () => ({ waitSeconds: waits.shift() }),
    });
    expect(waited).toEqual([5, 9]);
  });

  it('verifies again while workloads are not ready', async () => {
    const answers = [{ ...REF, waitSeconds: 3, notReady: 1 }, verified];
    const { calls, waits, output } = await restore({ 'verify-restore': () => answers.shift() });
    expect([tasks(calls).filter((t) => t === 'verify-restore').length, waits, output]).toEqual([
      2,
      [3],
      verified,
    ]);
  });

  it('is red when anything was not restored, and says how much', async () => {
    const partial = {
      ...verified,
      phase: 'PartiallyFailed',
      failed: 2,
      held: 4,
      differing: 1,
      notReady: 0,
      failedVolumes: 1,
    };
    const { error, cause } = await restore({ 'verify-restore': () => partial });
    expect([error, cause]).toEqual([
      'PartiallyFailed',
      `${REF.restore}: 2 objects failed, 4 are held for approval, 1 have drift, 0 are not ready, 1 volumes are not restored: see its report.json`,
    ]);
  });

  it.each(['plan-restore', 'apply-resources', 'reconcile-restore-volumes', 'verify-restore'])(
    'gives fail-restore the execution and the error that stopped %s, and ends with it',
    async (task) => {
      const { error, cause, calls } = await restore({ [task]: fail('RecoveryPointDamaged') });
      expect([error, cause, calls.at(-1)]).toEqual([
        'RecoveryPointDamaged',
        `${REF.restore} failed: because`,
        { task: 'fail-restore', input: { ...EXECUTION, error: 'RecoveryPointDamaged', cause: 'because' } },
      ]);
    },
  );
});

describe('the prune machine', () => {
  const prune = (answers: Answers, input: object = { plan: 'apps' }) => simulate('prune', input, answers);
  const ref = { plan: 'apps', prune: 'prune-1', removed: 1, kept: 3, forget: 2 };

  it('starts no Job when there is nothing to forget', async () => {
    const { calls } = await prune({ 'prune-backups': () => ({ ...ref, forget: 0 }) });
    expect(tasks(calls)).toEqual(['prune-backups']);
  });

  it('hands on what was typed and which execution it is, but not which machine started it', async () => {
    const input = { plan: 'apps', dryRun: true, allowShare: 100 };
    const started = { ...input, AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: 'arn:aws:states:::backup' };
    const { calls } = await prune({ 'prune-backups': () => ({ ...ref, forget: 0 }) }, started);
    expect(calls[0]?.input).toEqual({ input, ...EXECUTION });
  });

  it('ends with the name of what refused to remove so much, and starts no Job', async () => {
    const { error, calls } = await prune({ 'prune-backups': fail('PruneRefused') });
    expect([error, tasks(calls)]).toEqual(['PruneRefused', ['prune-backups']]);
  });

  it('asks again with the same words while others are copying', async () => {
    const outcomes = ['waiting', 'pruned'];
    const { calls, waits } = await prune({
      'prune-backups': () => ({ ...ref, outcome: outcomes.shift(), forget: 0 }),
    });
    expect([calls.length, calls[0], waits]).toEqual([2, calls[1], [30]]);
  });

  it('ends well when another is pruning already', async () => {
    const skipped = { ...ref, outcome: 'skipped', reason: 'apps-2 is pruning', removed: 0, forget: 0 };
    const { status, output } = await prune({ 'prune-backups': () => skipped });
    expect([status, output]).toEqual(['SUCCEEDED', skipped]);
  });

  it('waits for its Jobs and ends with the counts alone', async () => {
    const loops = [
      { waitSeconds: 4, failed: 0 },
      { waitSeconds: 0, failed: 0 },
    ];
    const { waits, output } = await prune({
      'prune-backups': () => ref,
      'reconcile-prune': () => loops.shift(),
    });
    expect([waits, output]).toEqual([[4], ref]);
  });

  it('fails when a repository does not have the snapshots that it should have', async () => {
    const { error, cause } = await prune({
      'prune-backups': () => ref,
      'reconcile-prune': () => ({ waitSeconds: 0, failed: 1 }),
    });
    expect([error, String(cause).slice(0, 26)]).toEqual(['SnapshotsLeft', '1 repositories do not have']);
  });
});
