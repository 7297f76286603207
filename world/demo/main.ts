import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runMain } from '../base/errors.ts';
import { progressPrinter } from '../base/progress-lines.ts';
import { bringUp, findWorld, takeDown } from '../world.ts';
import { runDemo } from './run.ts';

const HELP = `npm run demo [-- options]
  --keep              leave the world up and print how to look around
  --manifest FILE     another application instead of the sample
  --kubeconfig FILE   a cluster you have, instead of the one-node Kubernetes
  --address IP        with --kubeconfig: an address of this machine that the cluster's pods reach
`;

const WORLD = 'demo';
/** What a shell gives a process that ended by Ctrl-C. */
const INTERRUPTED = 130;
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
async function runInside(enter: readonly string[], signal: AbortSignal): Promise<number> {
  const self = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2), '--inside'];
  const [command, ...args] = [...enter, ...self] as [string, ...string[]];
  const child = spawn(command, args, { stdio: 'inherit' });
  // Ctrl-C in a terminal reaches the child directly; a signal to this process alone is forwarded.
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

const LOOK_AROUND = `The world "${WORLD}" stays up. Look around:
  npm run world -- exec --name ${WORLD} -- kubectl get all -n shop
  npm link                                  once: puts the command holdfast on the PATH
  holdfast --world ${WORLD} get backups
  holdfast --world ${WORLD} restic shop -- snapshots
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
  return withWorld();
}

async function withWorld(): Promise<number> {
  const { kubeconfig, address } = options;
  const interruption = new AbortController();
  const { signal } = interruption;
  const stop = () => {
    if (signal.aborted) return;
    console.error(`\ninterrupted: taking ${WORLD} down`);
    interruption.abort(new Error('interrupted'));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  await takeDown(WORLD);
  try {
    const world = await bringUp({
      name: WORLD,
      ...(kubeconfig && { kubeconfig }),
      ...(address && { address }),
      onProgress: progressPrinter(),
      signal,
    });
    const code = await runInside(world.enter, signal);
    if (options.keep && !signal.aborted) console.log(LOOK_AROUND);
    else await takeDown(WORLD);
    return signal.aborted ? INTERRUPTED : code;
  } catch (error) {
    await takeDown(WORLD).catch(() => undefined);
    if (!signal.aborted) throw error;
    // Builds of tools may still run; they end with this process.
    process.exit(INTERRUPTED);
  }
}

runMain(main);
