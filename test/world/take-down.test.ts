import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { cgroupsOf } from '../../world/sandbox/cgroups.ts';
import { bringUp, findWorld, takeDown } from '../../world/world.ts';

const name = 'scratch';

afterAll(() => takeDown(name));

it('leaves no process, mount, cgroup or file behind', async () => {
  const mountsBefore = mounts();
  const world = await bringUp({ name });
  const namespace = networkOf(readRecordPid(world.runDir));
  const cgroups = cgroupsOf(name).folders;
  expect(processesOf(world.runDir, namespace).length).toBeGreaterThan(5);
  expect(cgroups.every((folder) => existsSync(folder))).toBe(true);

  await takeDown(name);

  expect(processesOf(world.runDir, namespace)).toEqual([]);
  expect(cgroups.filter((folder) => existsSync(folder))).toEqual([]);
  expect(mounts()).toEqual(mountsBefore);
  expect(existsSync(world.runDir)).toBe(false);
  expect(findWorld(name)).toBeUndefined();
});

it('cleans up after a world whose first process was killed', async () => {
  const killed = await bringUp({ name });
  const firstPid = readRecordPid(killed.runDir);
  process.kill(firstPid, 'SIGKILL');
  while (findWorld(name)) await sleep(50);

  const next = await bringUp({ name });

  expect(readRecordPid(next.runDir)).not.toBe(firstPid);
  expect(findWorld(name)).toBeDefined();
});

function readRecordPid(runDir: string): number {
  const record: { main: { pid: number } } = JSON.parse(readFileSync(`${runDir}/world.json`, 'utf8'));
  return record.main.pid;
}

/** Whatever belongs to the world by its command line, its folder or its network. */
function processesOf(runDir: string, namespace: string | undefined): string[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  return pids.filter((pid) => {
    const cwd = read(() => readlinkSync(`/proc/${pid}/cwd`));
    const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    return command?.includes(runDir) || cwd?.startsWith(runDir) || networkOf(Number(pid)) === namespace;
  });
}

function networkOf(pid: number): string | undefined {
  return read(() => readlinkSync(`/proc/${pid}/ns/net`));
}

/** Processes end while they are looked at. */
function read(get: () => string): string | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

function mounts(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8').split('\n');
}
