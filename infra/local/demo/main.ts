import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { explain } from '../errors.ts';
import { printProgress } from '../progress-lines.ts';
import { bringUp, findWorld, takeDown } from '../world.ts';
import { runDemo } from './run.ts';

const HELP = `npm run demo [-- options]
  --keep              leave the world up and print how to look around
  --manifest FILE     another application instead of the sample
  --kubeconfig FILE   a cluster you have, instead of the one-node Kubernetes
  --address IP        with --kubeconfig: an address of this machine that the cluster's pods reach
`;

const WORLD = 'demo';
const sample = fileURLToPath(new URL('sample.yaml', import.meta.url));

const options = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    manifest: { type: 'string', default: sample },
    kubeconfig: { type: 'string' },
    address: { type: 'string' },
    inside: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
}).values;

/** The demo proper runs in the world's network namespace: this file starts itself again there. */
function runInside(enter: readonly string[]): number {
  const self = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2), '--inside'];
  const [command, ...args] = [...enter, ...self] as [string, ...string[]];
  return spawnSync(command, args, { stdio: 'inherit' }).status ?? 1;
}

const LOOK_AROUND = `The world "${WORLD}" stays up. Look around:
  npm run world -- exec --name ${WORLD} -- kubectl get all -n shop
  npm run holdfast -- --world ${WORLD} get backups
  npm run holdfast -- --world ${WORLD} restic shop -- snapshots
  npm run world -- down --name ${WORLD}
`;

async function main(): Promise<number> {
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.inside) {
    const world = findWorld(WORLD);
    if (!world) throw new Error(`world ${WORLD} is not up`);
    return runDemo(world, options.manifest);
  }
  const { kubeconfig, address } = options;
  await takeDown(WORLD);
  const world = await bringUp({
    name: WORLD,
    ...(kubeconfig && { kubeconfig }),
    ...(address && { address }),
    onProgress: printProgress,
  });
  const code = runInside(world.enter);
  if (options.keep) console.log(LOOK_AROUND);
  else await takeDown(WORLD);
  return code;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  async (error: unknown) => {
    console.error(explain(error));
    if (!options.inside) await takeDown(WORLD).catch(() => undefined);
    process.exitCode = 1;
  },
);
