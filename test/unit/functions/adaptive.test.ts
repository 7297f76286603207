import { describe, expect, it } from 'vitest';
import { runAdaptive } from '../../../functions/restore/apply-resources/adaptive.ts';

/** Runs items that take one turn each; returns the most that were at work at once, in each tenth of the run. */
async function widths(count: number, result: (index: number) => 'done' | 'busy'): Promise<number[]> {
  let running = 0;
  const seen: number[] = [];
  await runAdaptive(
    Array.from({ length: count }, (_, i) => i),
    async (i) => {
      running++;
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(running--);
      return result(i);
    },
    () => true,
  );
  const tenth = Math.ceil(count / 10);
  return Array.from({ length: 10 }, (_, i) => Math.max(...seen.slice(i * tenth, (i + 1) * tenth)));
}

describe('adaptive work', () => {
  it('does every item once', async () => {
    const done: number[] = [];
    const items = Array.from({ length: 100 }, (_, i) => i);
    await runAdaptive(
      items,
      async (i) => {
        done.push(i);
        return 'done';
      },
      () => true,
    );
    expect(done).toEqual(items);
  });

  it('starts with eight parallel items, and adds more on success, up to 64', async () => {
    const all = await widths(5000, () => 'done');
    expect(all[0]).toBeGreaterThan(8);
    expect(all.at(-1)).toBe(64);
  });

  it('goes down to one at a time while the other end is busy', async () => {
    expect((await widths(200, () => 'busy')).at(-1)).toBe(1);
  });

  it('starts nothing more when it is told not to go on', async () => {
    let started = 0;
    await runAdaptive(
      [1, 2, 3, 4],
      async () => {
        started++;
        return 'done';
      },
      () => started < 2,
    );
    expect(started).toBe(2);
  });

  it('ends with the first failure, after the items in progress', async () => {
    let ended = 0;
    const run = runAdaptive(
      [0, 1, 2],
      async (i) => {
        if (i === 0) throw new TypeError('first');
        await new Promise((resolve) => setImmediate(resolve));
        ended++;
        return 'done';
      },
      () => true,
    );
    await expect(run).rejects.toThrow('first');
    expect(ended).toBe(2);
  });
});
