/** Work at once at first, and at most. */
const START = 8;
const MOST = 64;

/**
 * Runs work side by side, as much as the other end takes: one more at a time while it goes well, half as many when
 * `busy` says that it was too much. Additive increase, multiplicative decrease, as TCP does it. Ends early, without
 * starting what is left, when `goOn` says no.
 */
export async function runAdaptive<T>(
  items: readonly T[],
  work: (item: T) => Promise<'done' | 'busy'>,
  goOn: () => boolean,
): Promise<void> {
  let limit = START;
  let running = 0;
  let next = 0;
  let failure: unknown;
  await new Promise<void>((resolve, reject) => {
    const start = () => {
      while (failure === undefined && running < Math.floor(limit) && next < items.length && goOn()) {
        running++;
        void work(items[next++] as T)
          .then((result) => {
            limit = result === 'busy' ? Math.max(1, limit / 2) : Math.min(MOST, limit + 1 / limit);
          })
          .catch((error: unknown) => {
            failure ??= error ?? new Error('unknown');
          })
          .finally(() => {
            running--;
            start();
          });
      }
      if (running === 0) failure === undefined ? resolve() : reject(failure as Error);
    };
    start();
  });
}
