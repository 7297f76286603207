import { describe, expect, it } from 'vitest';
import { type Answers, simulate, TaskError } from './simulate.ts';

const RUN = 'verify-20260131020000-abcdef';
const ref = { run: RUN, part: 2, parts: 7, recoveryPoints: 9 };
const counts = {
  ...ref,
  phase: 'Completed',
  objects: 40,
  bytes: 4000,
  damaged: 1,
  healed: 1,
  lost: 0,
  checks: 4,
};
type Request = { stage: 'open' | 'objects' | 'report' };

const verify = (
  { report = counts, remaining = [0], loops = [{ waitSeconds: 0, failed: 0 }] } = {},
  input: object = {},
  answers: Answers = {},
) =>
  simulate('verify', input, {
    'verify-vault': ({ stage }: Request) => {
      if (stage === 'report') return { ...report, remaining: 0 };
      return { ...ref, remaining: stage === 'open' ? 1 : remaining.shift() };
    },
    'reconcile-verify': () => loops.shift(),
    ...answers,
  });
const asked = (calls: readonly { task: string; input: unknown }[]) =>
  calls.map(({ task, input }) => (input as Partial<Request>).stage ?? task);

describe('the verify machine', () => {
  it('looks at objects until nothing remains, then lets restic check, and reports last', async () => {
    const { calls } = await verify({ remaining: [12, 3, 0] });
    expect(asked(calls)).toEqual(['open', 'objects', 'objects', 'objects', 'reconcile-verify', 'report']);
  });

  it('tells verify-vault what was typed and which execution it is, and then the run alone', async () => {
    const { calls } = await verify({}, { parts: 1 });
    expect(calls.map((c) => c.input)).toEqual([
      {
        stage: 'open',
        input: { parts: 1 },
        startedAt: '2026-01-31T02:00:00Z',
        execution: 'arn:aws:states:::execution',
      },
      { stage: 'objects', run: RUN },
      { run: RUN },
      { stage: 'report', run: RUN },
    ]);
  });

  it('waits for its Jobs as long as it is told, and ends with the counts of the report', async () => {
    const loops = [
      { waitSeconds: 4, failed: 0 },
      { waitSeconds: 0, failed: 1 },
    ];
    const { status, waits, output } = await verify({ loops });
    expect([status, waits, output]).toEqual(['SUCCEEDED', [4], counts]);
  });

  it('succeeds, and says PartiallyFailed, when restic found something', async () => {
    const { status, output } = await verify({ report: { ...counts, phase: 'PartiallyFailed' } });
    expect([status, output]).toEqual(['SUCCEEDED', { ...counts, phase: 'PartiallyFailed' }]);
  });

  it('fails when something is lost, and names the report', async () => {
    const { error, cause } = await verify({ report: { ...counts, phase: 'Failed', lost: 2 } });
    expect([error, cause]).toEqual([
      'VaultObjectsLost',
      `2 objects are lost in both copies: see the report.json of ${RUN}`,
    ]);
  });

  it('fails with the name of what stopped it', async () => {
    const { error } = await verify(
      {},
      { part: 1 },
      {
        'verify-vault': () => {
          throw new TaskError('InputInvalid');
        },
      },
    );
    expect(error).toBe('InputInvalid');
  });
});
