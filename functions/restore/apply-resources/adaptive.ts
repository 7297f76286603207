/** Initial and maximum number of parallel items. */
const START = 8;
const MOST = 64;

/**
 * Runs work in parallel with an adaptive limit: additive increase on success, multiplicative decrease on `busy`, as in
 * TCP. Ends early, without starting the remaining items, when `goOn` returns false.
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
