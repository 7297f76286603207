import { spawnSync } from 'node:child_process';
import { explain } from '../../world/base/errors.ts';
import { progressPrinter } from '../../world/base/progress-lines.ts';
import { provide } from '../../world/tools/provide.ts';
import { veleroTool } from '../../world/tools/velero.ts';
import { bringUp, processEnv, takeDown } from '../../world/world.ts';

// `npm run test:velero`: makes a real Velero, once, and exchanges backups with it in a world of its own.
const WORLD = 'velero';
try {
  const onProgress = progressPrinter();
  const tools = await provide(veleroTool, onProgress);
  await takeDown(WORLD);
  const world = await bringUp({ name: WORLD, onProgress });
  const [file = '', ...args] = [...world.enter, 'vitest', 'run', '--project', 'velero'];
  const env = { ...processEnv(world), HOLDFAST_VELERO: tools };
  process.exitCode = spawnSync(file, args, { stdio: 'inherit', env }).status ?? 1;
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
} finally {
  await takeDown(WORLD);
}
