import { execa } from 'execa';
import { WorldError } from '../base/errors.ts';

/** Working directory of a program, and variables added to this environment. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
}

/** Runs a program to its end and returns its output; an error carries the last lines it printed. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await execa(program, args, { ...options, reject: false, all: true });
  if (!result.failed) return String(result.stdout);
  const tail = lastLines(String(result.all ?? ''), 12);
  throw new WorldError(
    'CommandFailed',
    `${program} ${args.slice(0, 3).join(' ')} failed with ${result.exitCode ?? result.signal ?? 'an error'}`,
    tail || result.shortMessage || 'No output.',
  );
}

/** The end of a text: enough of a log to see why something stopped. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n  ');
}
