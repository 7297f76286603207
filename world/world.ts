import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { awsEnv, endpointOf, nodeFolder } from './base/environment.ts';
import { WorldError } from './base/errors.ts';
import { type OnProgress, step } from './base/progress.ts';
import { readRecord, type WorldRecord, writeRecord } from './base/record.ts';
import { cacheDir, network, projectRoot, runDirOf } from './base/settings.ts';
import { startEmulator, stopEmulator, waitForEmulator } from './emulator/start.ts';
import { type Cgroups, cgroupsOf, hasProcesses } from './sandbox/cgroups.ts';
import { prepareSandbox, startInit, waitUntilReady } from './sandbox/start.ts';
import { end, identify, isAlive, sweep } from './sandbox/stop.ts';
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
  /** An existing cluster, used instead of the sandbox. */
  readonly kubeconfig?: string;
  /** Required with `kubeconfig`: an address of this machine that the cluster's pods reach. */
  readonly address?: string;
  readonly onProgress?: OnProgress;
  /** Gives up and leaves nothing behind but what a running build of a tool still writes. */
  readonly signal?: AbortSignal;
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
  const start = options.kubeconfig === undefined ? await sandboxStart(options) : await besideStart(options);
  try {
    await start(name, onProgress);
  } catch (error) {
    await takeDown(name);
    throw error;
  }
  const world = findWorld(name);
  if (!world)
    throw new WorldError('WorldStopped', `${name} stopped immediately after its start.`, 'Run up again.');
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

/** Stops a world with all its processes and removes its files. Does nothing if the world does not exist. */
export async function takeDown(name: string): Promise<void> {
  checkName(name);
  const record = readRecord(name);
  if (record?.kind === 'cluster') {
    await stopEmulator(record.main);
    rmSync(runDirOf(name), { recursive: true, force: true });
    return;
  }
  if (record) await end(record.main, 'SIGKILL');
  // Without a run directory there is no world of this cache, and the cgroups are somebody else's.
  if (existsSync(runDirOf(name))) await sweep(runDirOf(name), cgroupsOf(name));
}

/** The environment of a process in a world: this one’s, without any AWS setting of its own. */
export function processEnv(world: World): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('AWS_'),
  );
  return { ...Object.fromEntries(kept), ...world.env };
}

/** Starts one kind of world. What can be refused is refused before there is one. */
type Start = (name: string, onProgress: OnProgress) => Promise<void>;

async function sandboxStart({ name = defaultName, signal }: BringUpOptions): Promise<Start> {
  await requireSandboxMachine();
  const cgroups = cgroupsOf(name);
  refuseForeignCgroups(cgroups, name);
  return async (_, onProgress) => {
    const runDir = runDirOf(name);
    const tools = await unlessAborted(provideTools(onProgress), signal);
    await step('world: certificates', onProgress, () => prepareSandbox(runDir, tools));
    signal?.throwIfAborted();
    const pid = await startInit(runDir, tools, cgroups);
    const record = newRecord(name, 'sandbox', {
      main: identityOf(pid),
      address: network.nodeAddress,
      kubeconfigs: {
        admin: join(runDir, 'kubeconfigs/admin.kubeconfig'),
        backup: join(runDir, 'kubeconfigs/backup.kubeconfig'),
        restore: join(runDir, 'kubeconfigs/restore.kubeconfig'),
      },
    });
    const programs = [tools.kubernetes, tools.restic];
    writeRecord({ ...record, programs });
    await unlessAborted(waitUntilReady(runDir, pid, onProgress), signal);
    writeRecord({ ...record, programs, ready: true });
  };
}

async function besideStart({ kubeconfig = '', address, signal }: BringUpOptions): Promise<Start> {
  if (!address || !existsSync(kubeconfig)) {
    throw new WorldError(
      'ClusterIncomplete',
      address ? `${kubeconfig} does not exist.` : '--address is required with --kubeconfig.',
      'up --kubeconfig FILE --address IP, where IP is an address of this machine that pods can reach.',
    );
  }
  await requireEmulatorMachine();
  return async (name, onProgress) => {
    const installed = await unlessAborted(provideEmulator(onProgress), signal);
    const runDir = runDirOf(name);
    const file = resolve(kubeconfig);
    const main = startEmulator(installed, runDir, address);
    const record = newRecord(name, 'cluster', {
      main,
      address,
      kubeconfigs: { admin: file, backup: file, restore: file },
    });
    writeRecord(record);
    const answer = () => waitForEmulator(runDir, address, main);
    await unlessAborted(step('world: emulator', onProgress, answer), signal);
    writeRecord({ ...record, ready: true });
  };
}

function newRecord(
  name: string,
  kind: WorldRecord['kind'],
  { main, address, kubeconfigs }: Pick<WorldRecord, 'main' | 'address' | 'kubeconfigs'>,
): WorldRecord {
  const starter = identityOf(process.pid);
  return { name, kind, main, starter, ready: false, address, kubeconfigs, programs: [] };
}

/** Ends the waiting, not the work: the caller that aborts must take the world down or end the process. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work, aborted]);
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
  if (!identity) throw new WorldError('WorldStopped', 'The world stopped while starting.', 'Run up again.');
  return identity;
}

/** Names become parts of paths and of cgroups. */
function checkName(name: string): void {
  if (/^[a-z][a-z0-9-]{0,19}$/.test(name)) return;
  const hint = 'Use up to 20 small letters, digits and dashes, a letter first.';
  throw new WorldError('BadWorldName', `--name: "${name}" is not a valid name of a world.`, hint);
}

/** Another cache may have a world of the same name: two cannot share cgroups. */
function refuseForeignCgroups(cgroups: Cgroups, name: string): void {
  const used = cgroups.folders.find(hasProcesses);
  if (used === undefined) return;
  const hint = 'Use another name, or take that world down with the HOLDFAST_CACHE it was made with.';
  throw new WorldError(
    'WorldElsewhere',
    `${used} has processes: the world ${name} of another cache is up.`,
    hint,
  );
}

function refuseWhileStarting(name: string): void {
  const record = readRecord(name);
  if (!record || record.ready || !isAlive(record.starter) || record.starter.pid === process.pid) return;
  const hint = `Wait for process ${record.starter.pid}, or end it.`;
  throw new WorldError('WorldStarting', `${name} is being started by another process.`, hint);
}
