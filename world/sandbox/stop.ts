import { existsSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cgroups, removeCgroups } from './cgroups.ts';

/** A process that is recognised again after its number was given to another. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Ticks since the machine started, from /proc. */
  readonly startTime: string;
}

/** Looks up the identity of a running process. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether the very same process still runs. */
export function isAlive(process: ProcessIdentity): boolean {
  return startTimeOf(process.pid) === process.startTime;
}

/** Ends a process and waits until nothing of it is left. */
export async function end(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(identity)) return;
  process.kill(identity.pid, signal);
  const deadline = Date.now() + 10_000;
  while (isAlive(identity)) {
    if (Date.now() > deadline) process.kill(identity.pid, 'SIGKILL');
    await sleep(20);
  }
}

/** Removes what a sandbox leaves once its processes are gone. Its mounts ended with its namespace. */
export async function sweep(runDir: string, cgroups: Cgroups): Promise<void> {
  await removeCgroups(cgroups);
  rmSync(runDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Field 22 of stat; the name before it may hold spaces and brackets. A zombie counts as gone. */
function startTimeOf(pid: number): string | undefined {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  try {
    const line = readFileSync(file, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
