import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActualJob, type DesiredJob, reconcile } from '../../../../functions/core/jobs/reconcile.ts';

const A: DesiredJob = { id: 'a', repository: 'g' };
const B: DesiredJob = { id: 'b', repository: 'g' };
const job = (id: string, state: ActualJob['state'], attempt = 1): ActualJob => ({ id, state, attempt });

const look = (
  desired: readonly DesiredJob[],
  actual: readonly ActualJob[],
  over: {
    finished?: string[];
    existingRepositories?: string[];
    concurrency?: number;
    perNode?: number;
    maxAttempts?: number;
  } = {},
) =>
  reconcile({
    desired,
    actual,
    finished: new Set(over.finished),
    existingRepositories: new Set(over.existingRepositories),
    concurrency: over.concurrency ?? 10,
    concurrencyPerNode: over.perNode ?? 10,
    maxAttempts: over.maxAttempts ?? 2,
  });

describe('one look', () => {
  it('starts what has no Job, and the first one opens the gate', () => {
    expect(look([A], []).start).toEqual([{ work: A, attempt: 1, initialises: true }]);
  });

  it('opens no repository that is open', () => {
    expect(look([A], [], { existingRepositories: ['g'] }).start).toEqual([
      { work: A, attempt: 1, initialises: false },
    ]);
  });

  it('lets work wait while another Job opens its gate', () => {
    expect(look([A, B], [job('a', 'running')])).toMatchObject({ start: [], running: 1, waiting: 1 });
  });

  it('lets only one of two start on a closed gate', () => {
    expect(look([A, B], [])).toMatchObject({ start: [{ work: A }], running: 1, waiting: 1 });
  });

  it('does not let closed repositories wait for each other', () => {
    const other = { id: 'b', repository: 'h' };
    expect(look([A, other], []).start.map((s) => s.initialises)).toEqual([true, true]);
  });

  it('starts both at once when the repository is open', () => {
    expect(look([A, B], [], { existingRepositories: ['g'] })).toMatchObject({ running: 2, waiting: 0 });
  });

  it('lets work wait for what its Job needs, and takes up no place with it', () => {
    const decision = look([{ ...A, ready: false }, B], [], { existingRepositories: ['g'], concurrency: 1 });
    expect(decision).toMatchObject({ start: [{ work: B }], running: 1, waiting: 1 });
  });

  it('starts no more than may run', () => {
    const decision = look([A, B], [], { existingRepositories: ['g'], concurrency: 1 });
    expect(decision).toMatchObject({ start: [{ work: A }], running: 1, waiting: 1 });
  });

  it('goes on with a Job that was left suspended, as the same attempt', () => {
    const decision = look([A], [job('a', 'suspended', 2)], { existingRepositories: ['g'] });
    expect(decision.start).toEqual([{ work: A, attempt: 2, initialises: false }]);
  });

  it('leaves a running Job alone', () => {
    expect(look([A], [job('a', 'running')])).toMatchObject({
      start: [],
      collect: [],
      remove: [],
      running: 1,
    });
  });

  it('tries a failed Job again', () => {
    expect(look([A], [job('a', 'failed')]).start).toEqual([{ work: A, attempt: 2, initialises: true }]);
  });

  it('does not try again what another attempt would not mend', () => {
    const final = { ...job('a', 'failed'), final: true };
    expect(look([A], [final])).toMatchObject({ start: [], collect: [{ work: A, job: final }] });
  });

  it('starts no more on a node than may run there, and goes on elsewhere', () => {
    const on = (id: string, node?: string) => ({ id, repository: id, node });
    const desired = [on('a', 'n1'), on('b', 'n1'), on('c', 'n2'), on('d')];
    const { start, waiting } = look(desired, [job('a', 'running')], { perNode: 1 });
    expect([start.map((s) => s.work.id), waiting]).toEqual([['c', 'd'], 1]);
  });

  it('takes the failure of the last attempt as the result', () => {
    const last = job('a', 'failed', 2);
    expect(look([A], [job('a', 'failed'), last])).toMatchObject({
      start: [],
      collect: [{ work: A, job: last }],
    });
  });

  it('looks at the newest attempt, in whatever order Jobs are listed', () => {
    const [first, second] = [job('a', 'failed', 1), job('a', 'running', 2)];
    for (const actual of [
      [first, second],
      [second, first],
    ])
      expect(look([A], actual, { maxAttempts: 3 })).toMatchObject({ start: [], collect: [], running: 1 });
  });

  it('removes Jobs whose result is known, and starts nothing for them', () => {
    const left = job('a', 'complete');
    expect(look([A], [left], { finished: ['a'] })).toMatchObject({ remove: [left], collect: [], start: [] });
  });

  it('removes Jobs that nobody asked for', () => {
    const stranger = job('z', 'running');
    expect(look([A], [stranger]).remove).toEqual([stranger]);
  });
});

const states = fc.constantFrom(
  'suspended' as const,
  'running' as const,
  'complete' as const,
  'failed' as const,
);
const anyWork = fc
  .uniqueArray(fc.nat(9), { maxLength: 8 })
  .map((ids) =>
    ids.map((n): DesiredJob => ({ id: `w${n}`, repository: `g${n % 3}`, node: n % 2 ? 'n1' : undefined })),
  );

describe('any look at any cluster', () => {
  const situation = fc.record({
    desired: anyWork,
    actual: fc.uniqueArray(
      fc.record({
        id: fc.nat(9).map((n) => `w${n}`),
        attempt: fc.integer({ min: 1, max: 3 }),
        state: states,
      }),
      { selector: (j) => `${j.id}/${j.attempt}`, maxLength: 12 },
    ),
    finished: fc.array(fc.nat(9).map((n) => `w${n}`)).map((ids) => new Set(ids)),
    existingRepositories: fc.subarray(['g0', 'g1', 'g2']).map((repositories) => new Set(repositories)),
    concurrency: fc.integer({ min: 1, max: 4 }),
    concurrencyPerNode: fc.integer({ min: 1, max: 2 }),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
  });

  it('accounts for each piece of work exactly once', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const { collect, running, waiting } = reconcile(s);
        const open = s.desired.filter((d) => !s.finished.has(d.id));
        expect(collect.length + running + waiting).toBe(open.length);
      }),
    );
  });

  it('never starts a Job beyond the concurrency', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const alive = reconcile({ ...s, concurrency: 0 }).running;
        expect(reconcile(s).running).toBeLessThanOrEqual(Math.max(alive, s.concurrency));
      }),
    );
  });

  it('never starts a Job beyond what a node may run', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const node = (id: string) => s.desired.find((d) => d.id === id)?.node;
        const fresh = reconcile(s).start.filter(({ work }) => !s.actual.some((a) => a.id === work.id));
        expect(fresh.filter(({ work }) => node(work.id) === 'n1').length).toBeLessThanOrEqual(
          s.concurrencyPerNode,
        );
      }),
    );
  });

  it('never starts an attempt beyond the last', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const fresh = reconcile(s).start.filter(
          ({ work, attempt }) => !s.actual.some((a) => a.id === work.id && a.attempt === attempt),
        );
        expect(fresh.filter((f) => f.attempt > s.maxAttempts)).toEqual([]);
      }),
    );
  });

  it('never waits for nothing', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const { running, waiting } = reconcile(s);
        expect(waiting > 0 && running === 0).toBe(false);
      }),
    );
  });

  it('decides the same whatever the order of the listing', () => {
    fc.assert(
      fc.property(situation, (s) => {
        const other = reconcile({ ...s, actual: [...s.actual].reverse() });
        const { start, collect, running, waiting } = reconcile(s);
        expect(other).toMatchObject({ start, collect, running, waiting });
      }),
    );
  });
});
