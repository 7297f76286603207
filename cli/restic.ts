import { spawnSync } from 'node:child_process';

/** Runs the restic of the PATH with a repository's environment; its exit code. */
export function runRestic(args: readonly string[], environment: Record<string, string>): number {
  const result = spawnSync('restic', args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (result.error) console.error('restic is not on the PATH: install restic 0.19.1 or newer');
  return result.status ?? 1;
}
