import { spawnSync } from 'node:child_process';
import { HoldfastError } from '../functions/contract/holdfast-error.ts';

/** Options of `holdfast restic` that restic does not have. */
const OWN = /^--(from|print-env)(=|$)/;

/**
 * restic's arguments out of what follows the repository. All of that goes to restic, so InputInvalid where an option of Holdfast
 * is among it before the `--`: restic would otherwise be started on a copy that nobody named.
 */
export function resticArgs(words: readonly string[]): readonly string[] {
  const dashes = words.indexOf('--');
  const misplaced = words.slice(0, dashes < 0 ? undefined : dashes).find((word) => OWN.test(word));
  if (misplaced)
    throw new HoldfastError(
      'InputInvalid',
      `${misplaced} stands behind the repository, where restic would get it`,
      {
        hint: `Write it before: holdfast restic ${misplaced} ...`,
      },
    );
  return dashes === 0 ? words.slice(1) : words;
}

/** Runs the restic of the PATH with a repository's environment; its exit code. */
export function runRestic(args: readonly string[], environment: Record<string, string>): number {
  const result = spawnSync('restic', args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (result.error) console.error('restic is not on the PATH: install restic 0.19.1 or newer');
  return result.status ?? 1;
}
