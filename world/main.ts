import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { explain } from './base/errors.ts';
import { progressPrinter } from './base/progress-lines.ts';
import { bringUp, defaultName, findWorld, listWorlds, processEnv, takeDown, type World } from './world.ts';

const program = new Command('local')
  .description('The local test environment: an AWS emulator and a single-node Kubernetes cluster')
  .enablePositionalOptions();

program
  .command('up')
  .description('start a world; tools are built once and cached')
  .option('--name <name>', 'name of the world', defaultName)
  .option('--kubeconfig <file>', 'use this cluster (default: a local single-node cluster)')
  .option(
    '--address <ip>',
    'with --kubeconfig: address of this machine that pods can reach (required with it)',
  )
  .action(up);

program
  .command('down')
  .description('stop a world and delete its data')
  .option('--name <name>', 'name of the world', defaultName)
  .action(async ({ name }: { name: string }) => {
    await takeDown(name);
    console.log(`${name} is down`);
  });

program.command('status').description('list the worlds').action(status);

program
  .command('exec')
  .description('run a command in the network of a world, with its environment')
  .option('--name <name>', 'name of the world', defaultName)
  .argument('<command...>', 'after --')
  .passThroughOptions()
  .action((command: string[], { name }: { name: string }) => exec(name, command));

await program.parseAsync().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});

async function up(options: { name: string; kubeconfig?: string; address?: string }): Promise<void> {
  const interruption = new AbortController();
  const stop = () => {
    console.error(`interrupted: taking ${options.name} down`);
    interruption.abort(new Error('interrupted'));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const { signal } = interruption;
  try {
    describe(await bringUp({ ...options, onProgress: progressPrinter(), signal }));
  } catch (error) {
    if (!signal.aborted) throw error;
    // Builds of tools may still run; they end with this process.
    process.exit(130);
  }
}

function status(): void {
  const names = listWorlds();
  if (names.length === 0) console.log('no world is up');
  for (const name of names) {
    const world = findWorld(name);
    if (world) describe(world);
    else console.log(`${name} is not up; run: down --name ${name}`);
  }
}

function describe(world: World): void {
  console.log(`${world.name} is up`);
  console.log(`  AWS         ${world.endpoint}`);
  console.log(`  KUBECONFIG  ${world.kubeconfigs.admin}`);
  console.log(`  enter       npm run world -- exec --name ${world.name} -- COMMAND`);
}

function exec(name: string, command: readonly string[]): void {
  const world = findWorld(name);
  if (!world) {
    console.error(`${name} is not up; run: up --name ${name}`);
    process.exitCode = 1;
    return;
  }
  const [file = '', ...args] = [...world.enter, ...command];
  const child = spawn(file, args, { stdio: 'inherit', env: processEnv(world) });
  child.on('error', (error) => {
    console.error(explain(error));
    process.exitCode = 127;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 1 : (code ?? 1);
  });
  // Ctrl-C reaches the command directly; this process waits for the command to end.
  process.on('SIGINT', () => {});
}
