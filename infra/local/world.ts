import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { awsEnv, endpointOf, nodeFolder } from './emulator/environment.ts';
import { startEmulator, stopEmulator, waitForEmulator } from './emulator/start.ts';
import { WorldError } from './errors.ts';
import { type OnProgress, step } from './progress.ts';
import { readRecord, type WorldRecord, writeRecord } from './record.ts';
import { cgroupsOf } from './sandbox/cgroups.ts';
import { prepareSandbox, startInit, waitUntilReady } from './sandbox/start.ts';
import { end, identify, isAlive, sweep } from './sandbox/stop.ts';
import { cacheDir, network, projectRoot, runDirOf } from './settings.ts';
import { provideEmulator, provideTools } from './tools/registry.ts';
import { requireEmulatorMachine, requireSandboxMachine } from './tools/requirements.ts';

/** A cloud and a cluster that are up. */
export interface World {
  readonly name: string;
  readonly runDir: string;
  /** Files. With an own cluster all three are the file that was given. */
  readonly kubeconfigs: { readonly admin: string; readonly backup: string; readonly restore: string };
  /** Where AWS answers. */
  readonly endpoint: string;
  /** What AWS clients, kubectl, restic and CDK need. Merge with `processEnv`. */
  readonly env: Readonly<Record<string, string>>;
  /** Words to put before a command so that it runs in the world’s network. Empty when it would already. */
  readonly enter: readonly string[];
}

/** How to bring a world up. */
export interface BringUpOptions {
  readonly name?: string;
  /** An own cluster in place of the embedded one. */
  readonly kubeconfig?: string;
  /** Required with `kubeconfig`: an address of this machine that the cluster's pods reach. */
  readonly address?: string;
  readonly onProgress?: OnProgress;
}

export const defaultName = 'local';

/** Brings a world up, or returns the one of that name that is up. What an earlier one left is removed first. */
export async function bringUp(options: BringUpOptions = {}): Promise<World> {
  const { name = defaultName, onProgress = () => {} } = options;
  checkName(name);
  const found = findWorld(name);
  if (found) return found;
  refuseWhileStarting(name);
  if (existsSync(runDirOf(name))) await takeDown(name);
  try {
    const { kubeconfig, address } = options;
    if (kubeconfig === undefined) await bringUpSandbox(name, onProgress);
    else await bringUpBeside(name, kubeconfig, address, onProgress);
  } catch (error) {
    await takeDown(name);
    throw error;
  }
  const world = findWorld(name);
  if (!world) throw new WorldError('WorldStopped', `${name} ended again at once.`, 'Run up once more.');
  return world;
}

/** The world of that name, if it is up. */
export function findWorld(name: string): World | undefined {
  const record = readRecord(name);
  if (!record?.ready || !isAlive(record.main)) return undefined;
  if (record.kind === 'cluster') return worldOf(record, []);
  const theirs = networkOf(record.main.pid);
  // A process that is ending has left its network already.
  if (theirs === undefined) return undefined;
  const inside = theirs === networkOf(process.pid);
  return worldOf(record, inside ? [] : ['nsenter', '-t', String(record.main.pid), '-n', '--']);
}

/** Names of the worlds that are up or left something behind. */
export function listWorlds(): string[] {
  const folder = join(cacheDir(), 'worlds');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Ends a world and everything it started, and removes what it kept. Does nothing when there is none. */
export async function takeDown(name: string): Promise<void> {
  checkName(name);
  const record = readRecord(name);
  if (record?.kind === 'cluster') {
    await stopEmulator(record.main);
    rmSync(runDirOf(name), { recursive: true, force: true });
    return;
  }
  if (record) await end(record.main, 'SIGKILL');
  if (process.platform === 'linux') await sweep(runDirOf(name), cgroupsOf(name));
}

/** The environment of a process in a world: this one’s, without any AWS setting of its own. */
export function processEnv(world: World): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('AWS_'),
  );
  return { ...Object.fromEntries(kept), ...world.env };
}

async function bringUpSandbox(name: string, onProgress: OnProgress): Promise<void> {
  await requireSandboxMachine();
  const tools = await provideTools(onProgress);
  const runDir = runDirOf(name);
  await step('world: certificates', onProgress, () => prepareSandbox(runDir, tools));
  const pid = await startInit(runDir, tools, cgroupsOf(name));
  const config = (user: string) => join(runDir, 'kubeconfigs', `${user}.kubeconfig`);
  const record: WorldRecord = {
    name,
    kind: 'sandbox',
    main: identityOf(pid),
    starter: identityOf(process.pid),
    ready: false,
    address: network.nodeAddress,
    kubeconfigs: { admin: config('admin'), backup: config('backup'), restore: config('restore') },
    programs: [tools.kubernetes, tools.restic],
  };
  writeRecord(record);
  await waitUntilReady(runDir, pid, onProgress);
  writeRecord({ ...record, ready: true });
}

async function bringUpBeside(
  name: string,
  kubeconfig: string,
  address: string | undefined,
  onProgress: OnProgress,
) {
  if (!address || !existsSync(kubeconfig)) {
    throw new WorldError(
      'ClusterIncomplete',
      address ? `${kubeconfig} does not exist.` : 'An own cluster needs an address, too.',
      'up --kubeconfig FILE --address IP, where IP is an address of this machine that the pods reach.',
    );
  }
  await requireEmulatorMachine();
  const installed = await provideEmulator(onProgress);
  const runDir = runDirOf(name);
  mkdirSync(runDir, { recursive: true });
  const file = resolve(kubeconfig);
  const main = startEmulator(installed, runDir, address);
  const kubeconfigs = { admin: file, backup: file, restore: file };
  const starter = identityOf(process.pid);
  const record: WorldRecord = {
    name,
    kind: 'cluster',
    main,
    starter,
    ready: false,
    address,
    kubeconfigs,
    programs: [],
  };
  writeRecord(record);
  await step('world: emulator', onProgress, () => waitForEmulator(runDir, address, main));
  writeRecord({ ...record, ready: true });
}

function worldOf(record: WorldRecord, enter: readonly string[]): World {
  const runDir = runDirOf(record.name);
  const programs = [nodeFolder, join(projectRoot, 'node_modules/.bin'), ...record.programs];
  return {
    name: record.name,
    runDir,
    kubeconfigs: record.kubeconfigs,
    endpoint: endpointOf(record.address),
    env: {
      ...awsEnv(record.address),
      KUBECONFIG: record.kubeconfigs.admin,
      HOLDFAST_WORLD: record.name,
      PATH: [...programs, process.env.PATH ?? ''].join(delimiter),
      // A proxy of the machine cannot be reached from inside, and must not see what is meant for the world.
      NO_PROXY: record.kind === 'sandbox' ? '*' : record.address,
      no_proxy: record.kind === 'sandbox' ? '*' : record.address,
    },
    enter,
  };
}

function networkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function identityOf(pid: number) {
  const identity = identify(pid);
  if (!identity)
    throw new WorldError('WorldStopped', 'The world ended while it started.', 'Run up once more.');
  return identity;
}

/** Names become parts of paths and of cgroups. */
function checkName(name: string): void {
  if (/^[a-z][a-z0-9-]{0,19}$/.test(name)) return;
  const hint = 'Use up to 20 small letters, digits and dashes, a letter first.';
  throw new WorldError('BadWorldName', `"${name}" cannot be the name of a world.`, hint);
}

function refuseWhileStarting(name: string): void {
  const record = readRecord(name);
  if (!record || record.ready || !isAlive(record.starter) || record.starter.pid === process.pid) return;
  const hint = `Wait for process ${record.starter.pid}, or end it.`;
  throw new WorldError('WorldStarting', `${name} is being brought up by another process.`, hint);
}
