import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debian } from '../../world/tools/debian.ts';
import { restic } from '../../world/tools/go.ts';
import { folderOf } from '../../world/tools/provide.ts';
import { findWorld } from '../../world/world.ts';

const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** What `holdfast` finds in its environment: the configuration that is deployed in this world, and restic with its helper. */
const environment = () => ({
  ...process.env,
  HOLDFAST_CONFIG: join(findWorld(process.env.HOLDFAST_WORLD ?? '')?.runDir ?? '', 'deploy', 'holdfast.yaml'),
  PATH: [folderOf(restic), join(folderOf(debian), 'bin'), process.env.PATH].join(':'),
});

/** Runs `holdfast` with the configuration that is deployed in this world, and returns what it printed. */
export const holdfast = (...args: string[]): string => run(environment(), args);

/** Runs `holdfast` with a configuration of its own, for what needs nothing deployed. */
export const holdfastWith =
  (config: string) =>
  (...args: string[]): string =>
    run({ ...environment(), HOLDFAST_CONFIG: config }, args);

function run(env: NodeJS.ProcessEnv, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr + stdout);
  return stdout;
}

/** Starts `holdfast` with a command that stays. */
export const startHoldfast = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [cli, ...args], { stdio: 'ignore', env: environment() });
