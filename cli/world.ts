import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findWorld, processEnv } from '../world/world.ts';

/** Runs this command line again in a local test environment, with the configuration deployed there. Returns its exit code. */
export function inWorld(name: string): number {
  const world = findWorld(name);
  if (!world) {
    console.error(`--world: world ${name} is not running. Start one: npm run demo -- --keep`);
    return 1;
  }
  const given = process.argv.slice(2);
  const at = given.indexOf('--world');
  const rest = at < 0 ? given.filter((a) => !a.startsWith('--world=')) : given.toSpliced(at, 2);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const [command, ...args] = [...world.enter, process.execPath, main, ...rest] as [string, ...string[]];
  const env = { ...processEnv(world), HOLDFAST_CONFIG: join(world.runDir, 'deploy', 'holdfast.yaml') };
  return spawnSync(command, args, { stdio: 'inherit', env }).status ?? 1;
}
