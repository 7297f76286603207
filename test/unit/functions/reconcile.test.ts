import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JobEnd, lookOnce } from '../../../functions/core/job-loop.ts';
import type { ActualJob, DesiredJob } from '../../../functions/core/reconcile.ts';

/** Small deterministic random numbers (mulberry32), so that a failing run can be repeated from its seed. */
function randomFrom(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A cluster and a vault in memory. Every action may be the last one of a function that is killed. */
class FakeWorld {
  readonly jobs = new Map<string, ActualJob & { gate: string; opensGate: boolean }>();
  readonly results = new Map<string, 'ok' | 'failed'>();
  readonly writes = new Map<string, number>();
  readonly open = new Set<string>();
  mostRunning = 0;
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }
  private mayDie(): void {
    if (this.random() < 0.15) throw new Error('killed');
  }
  /** Time passes: running Jobs end, well or badly; one that makes its repository opens the gate. */
  tick(): void {
    const running = [...this.jobs].filter(([, j]) => j.state === 'running');
    this.mostRunning = Math.max(this.mostRunning, running.length);
    for (const gate of new Set(running.map(([, j]) => j.gate))) {
      const makers = running.filter(([, j]) => j.gate === gate && j.opensGate);
      if (makers.length > 1) throw new RangeError(`two Jobs make repository ${gate}`);
    }
    for (const [name, job] of running) {
      if (this.random() < 0.4) continue;
      const ok = this.random() < 0.7;
      if (ok && job.opensGate) this.open.add(job.gate);
      this.jobs.set(name, { ...job, state: ok ? 'complete' : 'failed' });
    }
  }
  readonly jobPort = {
    list: async () => [...this.jobs.values()],
    start: async (work: DesiredJob, attempt: number, opensGate: boolean) => {
      const name = `${work.id}-${attempt}`;
      if (!this.jobs.has(name))
        this.jobs.set(name, { id: work.id, attempt, state: 'suspended', gate: work.gate, opensGate });
      this.mayDie();
      const job = this.jobs.get(name);
      if (job) this.jobs.set(name, { ...job, state: 'running' });
    },
    end: async (job: ActualJob): Promise<JobEnd> => ({
      exitCode: job.state === 'complete' ? 0 : 1,
      log: '',
      message: undefined,
      seconds: 1,
    }),
    remove: async (job: ActualJob) => {
      this.mayDie();
      this.jobs.delete(`${job.id}-${job.attempt}`);
    },
  };
  readonly resultPort = {
    finished: async () => new Set(this.results.keys()),
    failures: async () => [...this.results.values()].filter((r) => r === 'failed').length,
    openGates: async () => new Set(this.open),
    write: async (work: DesiredJob, end: JobEnd) => {
      this.results.set(work.id, end.exitCode === 0 ? 'ok' : 'failed');
      this.writes.set(work.id, (this.writes.get(work.id) ?? 0) + 1);
      this.mayDie();
      return end.exitCode !== 0;
    },
  };
}

async function settle(world: FakeWorld, desired: readonly DesiredJob[], concurrency: number): Promise<void> {
  for (let look = 0; look < 2000; look++) {
    try {
      const state = await lookOnce(desired, world.jobPort, world.resultPort, {
        concurrency,
        maxAttempts: 2,
        pollSeconds: 1,
      });
      if (state.waitSeconds === 0 && world.jobs.size === 0) return;
    } catch (error) {
      if ((error as Error).message !== 'killed') throw error;
    }
    world.tick();
  }
  throw new Error('never settled');
}

const work = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 })
  .map((gates) => gates.map((gate, i) => ({ id: `${gate}.${i}`, gate })));

describe('the loop over Jobs, killed at random', () => {
  it('ends with one result for each piece of work, leaves no Job, and keeps to its limits', async () => {
    await fc.assert(
      fc.asyncProperty(
        work,
        fc.integer({ min: 1, max: 4 }),
        fc.integer(),
        async (desired, concurrency, seed) => {
          const world = new FakeWorld(randomFrom(seed));
          await settle(world, desired, concurrency);
          expect([...world.results.keys()].sort()).toEqual(desired.map((d) => d.id).sort());
          expect([...world.writes.values()].every((n) => n === 1)).toBe(true);
          expect(world.mostRunning).toBeLessThanOrEqual(concurrency);
        },
      ),
      { numRuns: 60 },
    );
  });
});
