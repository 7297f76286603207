import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulatorEnv, endpointOf } from '../base/environment.ts';
import { WorldError } from '../base/errors.ts';
import { type OnProgress, step } from '../base/progress.ts';
import { network, projectRoot } from '../base/settings.ts';
import { storageClass } from '../storage/storage-class.ts';
import { lastLines } from '../tools/command.ts';
import type { Tools } from '../tools/registry.ts';
import { Authority, writeControlPlaneCertificates } from './certs.ts';
import { type Cgroups, makeCgroups } from './cgroups.ts';
import { writeConfigs } from './configs.ts';
import { writeKubeconfigs } from './kubeconfig.ts';
import { shellScript } from './script.ts';

const folders = ['log', 'kubernetes/pki', 'kubeconfigs', 'kubelet', 'kubelet-plugins', 'containerd', 'etcd'];
const moreFolders = [
  'config',
  'bin',
  'volumes',
  'emulator/tmp',
  'emulator/state',
  'emulator/s3',
  'recording',
];
/** In the order in which init.sh reports them. */
const stages = ['network', 'images', 'api-server', 'emulator', 'ready'];

/** Writes everything a world is made of into its run directory. */
export async function prepareSandbox(runDir: string, tools: Tools): Promise<void> {
  for (const folder of [...folders, ...moreFolders]) mkdirSync(join(runDir, folder), { recursive: true });
  const ca = await Authority.create('kubernetes');
  await writeControlPlaneCertificates(join(runDir, 'kubernetes/pki'), ca);
  await writeKubeconfigs(join(runDir, 'kubeconfigs'), ca);
  writeConfigs(runDir, tools);
  writeFileSync(join(runDir, 'config/storage-class.json'), JSON.stringify(storageClass));
  const emulator = emulatorEnv(tools.emulator, runDir, network.nodeAddress);
  writeFileSync(join(runDir, 'config/emulator.sh'), shellScript(emulator, ['python3', '-m', 'ministack']));
  const driverEnv = {
    KUBECONFIG: join(runDir, 'kubeconfigs/admin.kubeconfig'),
    VOLUMES: join(runDir, 'volumes'),
    NODE_NAME: network.node,
  };
  const driver = [process.execPath, join(projectRoot, 'world/storage/driver.ts')];
  writeFileSync(join(runDir, 'config/storage-driver.sh'), shellScript(driverEnv, driver));
  for (const program of ['nft', 'conntrack']) writeLibraryWrapper(runDir, tools.debian, program);
}

/** Starts pid 1 in namespaces of its own; returns its number as this process sees it. */
export async function startInit(runDir: string, tools: Tools, cgroups: Cgroups): Promise<number> {
  makeCgroups(cgroups);
  const log = openSync(join(runDir, 'log', 'init.log'), 'a');
  const unshare = 'unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child --mount-proc';
  const init = join(projectRoot, 'world/sandbox/init.sh');
  // The shell enters the cgroups before it unshares them, so that they become the root of the new view.
  const enter = cgroups.folders.map((folder) => `echo $$ > '${folder}/cgroup.procs'`).join('\n');
  const script = `set -e\n${enter}\nexec ${unshare} --propagation private bash '${init}'`;
  const stdio = ['ignore' as const, log, log];
  const child = spawn('bash', ['-c', script], {
    detached: true,
    stdio,
    env: initEnv(runDir, tools, cgroups),
  });
  child.unref();
  const init1 = await firstChild(child.pid ?? 0);
  if (init1 === undefined) throw stoppedError(runDir);
  return init1;
}

/** Waits until the node is Ready and the emulator answers. */
export async function waitUntilReady(runDir: string, pid: number, onProgress: OnProgress): Promise<void> {
  for (const stage of stages) await step(`world: ${stage}`, onProgress, () => reached(runDir, pid, stage));
}

async function reached(runDir: string, pid: number, stage: string): Promise<void> {
  const file = join(runDir, 'stages');
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline) {
    const seen = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (seen.includes(stage)) return;
    if (seen.some((line) => line.startsWith('failed:')) || !existsSync(`/proc/${pid}`))
      throw stoppedError(runDir);
    await sleep(50);
  }
  throw stoppedError(runDir);
}

function stoppedError(runDir: string): WorldError {
  const log = join(runDir, 'log', 'init.log');
  const tail = existsSync(log) ? lastLines(readFileSync(log, 'utf8'), 12) : '';
  return new WorldError('WorldStopped', 'The world did not start.', tail || 'No output.');
}

/** Only what init.sh names, so that nothing of the caller's shell decides how a cluster behaves. */
function initEnv(runDir: string, tools: Tools, cgroups: Cgroups): Record<string, string> {
  return {
    PATH: [process.env.PATH ?? '', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(delimiter),
    HOME: join(runDir, 'emulator'),
    RUN: runDir,
    TOOLS_DEBIAN: tools.debian,
    TOOLS_KUBERNETES: tools.kubernetes,
    TOOLS_IMAGES: tools.images,
    NODE: network.node,
    NODE_IP: network.nodeAddress,
    SVC_CIDR: network.serviceRange,
    CGROUP_VERSION: String(cgroups.version),
    EMULATOR_HEALTH: `${endpointOf(network.nodeAddress)}/_ministack/health`,
  };
}

/** unshare forks; the child is pid 1 inside. */
async function firstChild(parent: number): Promise<number | undefined> {
  const file = `/proc/${parent}/task/${parent}/children`;
  for (let tries = 0; tries < 200 && existsSync(file); tries++) {
    const [child] = readFileSync(file, 'utf8').split(' ').filter(Boolean);
    // A child of the shell that is not yet a namespace of its own cannot be meant.
    if (child && isInit(Number(child))) return Number(child);
    await sleep(20);
  }
  return undefined;
}

function isInit(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  return existsSync(status) && /^NSpid:\t\d+.*\t1$/m.test(readFileSync(status, 'utf8'));
}

/** These programs find their libraries in the unpacked packages; no other program may. */
function writeLibraryWrapper(runDir: string, debian: string, program: string): void {
  const libraries = `${debian}/usr/lib/x86_64-linux-gnu:${debian}/lib/x86_64-linux-gnu`;
  const script = shellScript({ LD_LIBRARY_PATH: libraries }, [`${debian}/usr/sbin/${program}`]);
  writeFileSync(join(runDir, 'bin', program), script.replace(/\n$/, ' "$@"\n'), { mode: 0o755 });
}
