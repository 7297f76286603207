import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type JobPort,
  notRun,
  type ResultPort,
  reconcileOnce,
} from '../../../../functions/core/jobs/job-loop.ts';
import type { ActualJob, DesiredJob } from '../../../../functions/core/jobs/reconcile.ts';
import type { JobEnd } from '../../../../functions/core/kubernetes/job-end.ts';

class Killed extends Error {}

interface World {
  readonly desired: readonly DesiredJob[];
  readonly concurrency: number;
  readonly maxAttempts: number;
  /** The n-th action kills the function: before it, in its middle, or after it. */
  readonly kills: readonly ('no' | 'before' | 'middle' | 'after')[];
  /** How the n-th Job that ends, ends. */
  readonly fates: readonly ('complete' | 'failed')[];
  /** The work that there can be no Job for. */
  readonly impossible?: string;
}

/** A cluster and a vault in memory, which notice at once when a promise is broken. */
class Simulation implements JobPort<DesiredJob, ActualJob>, ResultPort<DesiredJob> {
  jobs: (ActualJob & { readonly repository: string; readonly initialises: boolean })[] = [];
  readonly results = new Map<string, JobEnd[]>();
  readonly opened = new Set<string>();
  readonly attempts = new Map<string, Set<number>>();
  readonly broken: string[] = [];
  private actions = 0;
  private ended = 0;

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  private act(first: () => void, second: () => void = () => undefined): void {
    const kill = this.world.kills[this.actions++] ?? 'no';
    if (kill === 'before') throw new Killed();
    first();
    if (kill === 'middle') throw new Killed();
    second();
    if (kill === 'after') throw new Killed();
  }

  private check(): void {
    const alive = this.jobs.filter((j) => j.state === 'running' || j.state === 'suspended');
    if (alive.length > this.world.concurrency) this.broken.push(`${alive.length} Jobs at once`);
    for (const opener of alive.filter((j) => j.initialises && !this.opened.has(j.repository)))
      if (alive.some((j) => j !== opener && j.repository === opener.repository))
        this.broken.push(`another Job of ${opener.repository} beside the one that opens it`);
  }

  async list() {
    return this.jobs.map((j) => ({ ...j }));
  }

  async renewCredentials() {}

  async start(work: DesiredJob, attempt: number, initialises: boolean): Promise<string | undefined> {
    if (work.id === this.world.impossible) return 'nobody can';
    const same = (j: ActualJob) => j.id === work.id && j.attempt === attempt;
    this.act(
      () => {
        if (this.jobs.some(same)) return;
        this.jobs.push({
          id: work.id,
          attempt,
          state: 'suspended',
          repository: work.repository,
          initialises,
        });
        this.attempts.set(work.id, new Set([...(this.attempts.get(work.id) ?? []), attempt]));
        if (this.results.has(work.id)) this.broken.push(`${work.id} again, after its result`);
        this.check();
      },
      () => {
        this.jobs = this.jobs.map((j) =>
          same(j) && j.state === 'suspended' ? { ...j, state: 'running' } : j,
        );
      },
    );
    return undefined;
  }

  async end(job: ActualJob): Promise<JobEnd> {
    return {
      exitCode: job.state === 'complete' ? 0 : 1,
      log: '',
      reports: {},
      message: undefined,
      seconds: job.attempt,
    };
  }

  async remove(job: ActualJob) {
    this.act(() => {
      if (!this.results.has(job.id)) this.broken.push(`${job.id} removed before its result was written`);
      this.jobs = this.jobs.filter((j) => !(j.id === job.id && j.attempt === job.attempt));
    });
  }

  async finished() {
    return new Set(this.results.keys());
  }

  async write(work: DesiredJob, end: JobEnd) {
    this.act(() => this.results.set(work.id, [...(this.results.get(work.id) ?? []), end]));
  }

  async failures() {
    return [...this.results.values()].filter((ends) => ends.at(-1)?.exitCode !== 0).length;
  }

  async existingRepositories(repositories: readonly string[]) {
    return new Set(repositories.filter((g) => this.opened.has(g)));
  }

  /** Time passes: one of the running Jobs ends. A Job that opens a repository may fail before or after it did. */
  endOne(): void {
    const running = this.jobs.filter((j) => j.state === 'running');
    const job = running[this.ended % Math.max(running.length, 1)];
    if (!job) return;
    const state = this.world.fates[this.ended++] ?? 'complete';
    if (state === 'complete' || this.ended % 2 === 0) this.opened.add(job.repository);
    this.jobs = this.jobs.map((j) => (j === job ? { ...j, state } : j));
  }
}

async function runToEnd(world: World) {
  const simulation = new Simulation(world);
  const options = {
    concurrency: world.concurrency,
    concurrencyPerNode: 100,
    maxAttempts: world.maxAttempts,
    pollSeconds: 3,
  };
  for (let looks = 0; looks < 1000; looks++) {
    try {
      const { state: loop } = await reconcileOnce(world.desired, simulation, simulation, options);
      if (loop.waitSeconds === 0) return { simulation, loop };
    } catch (thrown) {
      if (!(thrown instanceof Killed)) throw thrown;
    }
    simulation.endOne();
  }
  throw new Error('the loop has no end');
}

const world: fc.Arbitrary<World> = fc.record({
  desired: fc
    .integer({ min: 0, max: 8 })
    .chain((n) => fc.array(fc.nat(2), { minLength: n, maxLength: n }))
    .map((repositories) =>
      repositories.map((repository, n) => ({ id: `w${n}`, repository: `g${repository}` })),
    ),
  concurrency: fc.integer({ min: 1, max: 4 }),
  maxAttempts: fc.integer({ min: 1, max: 3 }),
  kills: fc.array(fc.constantFrom('no', 'no', 'before', 'middle', 'after'), { maxLength: 40 }),
  fates: fc.array(fc.constantFrom('complete', 'failed'), { maxLength: 30 }),
});

const holds = (property: (w: World, end: Awaited<ReturnType<typeof runToEnd>>) => void) =>
  fc.assert(
    fc.asyncProperty(world, async (w) => {
      property(w, await runToEnd(w));
    }),
    { numRuns: 500 },
  );

describe('a loop whose function may be killed at any action', () => {
  it('never runs too many Jobs, never two while one opens a repository, and never removes what has no result', () =>
    holds((_, { simulation }) => expect(simulation.broken).toEqual([])));

  it('ends with a result for each piece of work and for nothing else', () =>
    holds((w, { simulation }) =>
      expect([...simulation.results.keys()].sort()).toEqual(w.desired.map((d) => d.id).sort()),
    ));

  it('writes no second result that differs from the first', () =>
    holds((_, { simulation }) => {
      for (const [first, ...others] of simulation.results.values())
        for (const other of others) expect(other).toEqual(first);
    }));

  it('tries nothing more often than it may', () =>
    holds((w, { simulation }) => {
      for (const attempts of simulation.attempts.values())
        expect(attempts.size).toBeLessThanOrEqual(w.maxAttempts);
    }));

  it('takes a failure as the result only of the last attempt', () =>
    holds((w, { simulation }) => {
      for (const [id, ends] of simulation.results)
        if (ends[0]?.exitCode !== 0) expect(simulation.attempts.get(id)?.size).toBe(w.maxAttempts);
    }));

  it('leaves no Job behind', () => holds((_, { simulation }) => expect(simulation.jobs).toEqual([])));

  it('reports how much is done and how much failed', () =>
    holds((w, { simulation, loop }) => {
      const failed = [...simulation.results.values()].filter(([end]) => end?.exitCode !== 0).length;
      expect(loop).toEqual({ running: 0, done: w.desired.length, failed, waitSeconds: 0 });
    }));
});

describe('a single look', () => {
  const quiet = { concurrency: 1, concurrencyPerNode: 100, maxAttempts: 1, kills: [], fates: [] } as const;
  const two: World = { ...quiet, desired: ['a', 'b'].map((id) => ({ id, repository: 'g' })) };
  const options = { concurrency: 1, concurrencyPerNode: 100, maxAttempts: 1, pollSeconds: 7 };

  it('asks for another while work runs or waits', async () => {
    const simulation = new Simulation(two);
    const { state } = await reconcileOnce(two.desired, simulation, simulation, options);
    expect(state).toEqual({ running: 2, done: 0, failed: 0, waitSeconds: 7 });
  });

  it('writes the result before it removes the Job', async () => {
    const simulation = new Simulation({ ...two, kills: ['no', 'after'] });
    await reconcileOnce(two.desired, simulation, simulation, options);
    simulation.endOne();
    await expect(reconcileOnce(two.desired, simulation, simulation, options)).rejects.toThrow(Killed);
    expect([[...simulation.results.keys()], simulation.jobs.length]).toEqual([['a'], 1]);
  });

  it('takes why there can be no Job for the result of its work, and looks again', async () => {
    const simulation = new Simulation({ ...two, impossible: 'a' });
    const { state } = await reconcileOnce(two.desired, simulation, simulation, options);
    expect([state.failed, state.waitSeconds, simulation.jobs]).toEqual([1, 7, []]);
    expect(simulation.results.get('a')).toEqual([notRun('nobody can')]);
  });

  it('is done at once when there is nothing to do', async () => {
    const simulation = new Simulation({ ...two, desired: [] });
    const { state } = await reconcileOnce([], simulation, simulation, options);
    expect(state).toEqual({ running: 0, done: 0, failed: 0, waitSeconds: 0 });
  });
});
