import type { ProgressLine } from './progress.ts';

/** Prints progress as plain lines, which read the same on a terminal and in a log. */
export function printProgress({ name, state, seconds }: ProgressLine): void {
  const time = state === 'done' || state === 'failed' ? ` after ${seconds.toFixed(1)} s` : '';
  console.log(`${state.padEnd(7)} ${name}${time}`);
}
