import { spawnSync } from 'node:child_process';
import { HoldfastError } from '../functions/contract/holdfast-error.ts';

/** Options of `holdfast restic` that restic does not have. */
const OWN = /^--(from|print-env)(=|$)/;

/**
 * restic's arguments: everything after the repository.
 *
 * @throws InputInvalid if an option of Holdfast is among them before the `--`: restic would otherwise run on the default copy.
 */
export function resticArgs(words: readonly string[]): readonly string[] {
  const dashes = words.indexOf('--');
  const misplaced = words.slice(0, dashes < 0 ? undefined : dashes).find((word) => OWN.test(word));
  if (misplaced)
    throw new HoldfastError(
      'InputInvalid',
      `${misplaced} must be before the repository: options after it are passed to restic`,
      {
        hint: `Write: holdfast restic ${misplaced} ...`,
      },
    );
  return dashes === 0 ? words.slice(1) : words;
}

/** Runs the restic on the PATH with a repository's environment. Returns its exit code. */
export function runRestic(args: readonly string[], environment: Record<string, string>): number {
  const result = spawnSync('restic', args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (result.error) console.error('restic is not found on the PATH: install restic 0.19.1 or newer');
  return result.status ?? 1;
}
