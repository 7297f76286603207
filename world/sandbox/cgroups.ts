import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorldError } from '../base/errors.ts';

/** Where a world's cgroups are, and by which rules. */
export interface Cgroups {
  readonly version: 1 | 2;
  /** One folder a hierarchy on version 1, a single one on version 2. */
  readonly folders: readonly string[];
}

/** The cgroups of a world, whether they exist or not. */
export function cgroupsOf(world: string): Cgroups {
  const v1 = mountPoints('cgroup');
  const v2 = mountPoints('cgroup2');
  const version = v1.length > 0 ? 1 : 2;
  const roots = version === 1 ? v1 : v2.slice(0, 1);
  if (roots.length === 0) {
    throw new WorldError(
      'NoCgroups',
      'No cgroup hierarchy is mounted on this machine.',
      'Mount /sys/fs/cgroup, or use your own cluster: up --kubeconfig FILE --address IP.',
    );
  }
  return { version, folders: roots.map((root) => join(root, `holdfast-${world}`)) };
}

/** Makes a world's cgroups, ready to take processes. */
export function makeCgroups(cgroups: Cgroups): void {
  for (const folder of cgroups.folders) {
    mkdirSync(folder, { recursive: true });
    // A new cpuset is empty and takes no process before it has cores and memory.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (cgroups.version === 1 && existsSync(join(folder, file))) {
        writeFileSync(join(folder, file), readFileSync(join(folder, '..', file)));
        writeFileSync(join(folder, 'cgroup.clone_children'), '1');
      }
    }
  }
}

/** Removes a world's cgroups; the kernel refuses for a moment after the last process ended. */
export async function removeCgroups(cgroups: Cgroups): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (const folder of cgroups.folders) {
    while (existsSync(folder) && !removeTree(folder)) {
      if (Date.now() > deadline) {
        throw new WorldError(
          'CgroupBusy',
          `${folder} still has processes.`,
          'Stop them, then run down again.',
        );
      }
      await sleep(50);
    }
  }
}

/** Whether any process is in a group or below it. */
export function hasProcesses(folder: string): boolean {
  if (!existsSync(folder)) return false;
  if (readFileSync(join(folder, 'cgroup.procs'), 'utf8') !== '') return true;
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return children.some((child) => hasProcesses(join(folder, child.name)));
}

/** Children first; only folders, because the files in them belong to the kernel. */
function removeTree(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    }
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

/** Mount points of a file system type; the type follows the lone dash of the line. */
function mountPoints(type: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  return lines
    .filter((line) => line.split(' - ')[1]?.split(' ')[0] === type)
    .map((line) => line.split(' ')[4] ?? '');
}
