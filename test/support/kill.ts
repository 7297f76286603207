import { expect } from 'vitest';
import { Killed } from './memory-vault.ts';

/** How long a function lives: so many calls of its ports, all of them together. The next one ends it, and all that follow. */
export class Life {
  calls = 0;
  left = Number.POSITIVE_INFINITY;

  /** A port whose every call is counted, and fails when the life is over. */
  of<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          this.spend();
          return value.apply(target, args);
        };
      },
    });
  }

  private spend(): void {
    this.calls++;
    if (this.left-- <= 0) throw new Killed('at a call');
  }
}

/** Work that a test kills. `W` is what the work changes. */
export interface KilledWork<W, R> {
  /** Makes the world as it is before the work. */
  prepare(): Promise<W>;
  /** Does the work, with every port made by `life.of`. */
  run(world: W, life: Life): Promise<R>;
  /** What must be the same at the end, and whatever else must hold. */
  end(world: W, result: R): unknown;
  /** What must hold right after it was killed. */
  afterKill?(world: W): void;
}

/**
 * Does some work undisturbed; then kills it at each call of its ports and does it again, and last of all does it again when it was
 * done: each must end as the undisturbed one. Returns how many calls there are.
 */
export async function killAtEveryCall<W, R>(work: KilledWork<W, R>): Promise<number> {
  const undisturbed = new Life();
  const world = await work.prepare();
  const expected = work.end(world, await work.run(world, undisturbed));
  for (let at = 0; at <= undisturbed.calls; at++) {
    const again = await work.prepare();
    const life = new Life();
    life.left = at;
    const first = work.run(again, life);
    if (at < undisturbed.calls) await expect(first, `killed at call ${at}`).rejects.toBeInstanceOf(Killed);
    else await first; // its answer was lost
    await new Promise((resolve) => setImmediate(resolve)); // what was under way ends
    if (at < undisturbed.calls) work.afterKill?.(again);
    const result = await work.run(again, new Life());
    expect([at, work.end(again, result)]).toEqual([at, expected]);
  }
  return undisturbed.calls;
}
