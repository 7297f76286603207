import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { restic } from '../../infra/local/tools/go.ts';
import { folderOf } from '../../infra/local/tools/provide.ts';
import { findWorld } from '../../infra/local/world.ts';

/** Runs `holdfast` with the configuration that is deployed in this world, and returns what it printed. */
export function holdfast(...args: string[]): string {
  const world = findWorld(process.env.HOLDFAST_WORLD ?? '');
  const cli = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: {
      ...process.env,
      HOLDFAST_CONFIG: join(world?.runDir ?? '', 'deploy', 'holdfast.yaml'),
      PATH: `${folderOf(restic)}:${process.env.PATH}`,
    },
  });
  if (status !== 0) throw new Error(stderr + stdout);
  return stdout;
}
