import { spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulatorEnv, endpointOf } from '../base/environment.ts';
import { WorldError } from '../base/errors.ts';
import { shellScript } from '../sandbox/script.ts';
import { end, identify, isAlive, type ProcessIdentity } from '../sandbox/stop.ts';
import { lastLines } from '../tools/command.ts';

const startSeconds = 30;

/** Starts the emulator on the machine's own network, for a cluster that is not ours. */
export function startEmulator(installed: string, runDir: string, address: string): ProcessIdentity {
  for (const folder of ['log', 'config', 'emulator/tmp', 'emulator/state', 'emulator/s3', 'recording']) {
    mkdirSync(join(runDir, folder), { recursive: true });
  }
  const script = join(runDir, 'config/emulator.sh');
  const env = emulatorEnv(installed, runDir, address);
  writeFileSync(script, shellScript(env, ['python3', '-m', 'ministack']));
  const log = openSync(logOf(runDir), 'a');
  const child = spawn('sh', [script], { detached: true, stdio: ['ignore', log, log] });
  child.unref();
  const started = identify(child.pid ?? 0);
  if (!started) throw stoppedError(runDir, address);
  return started;
}

/** Waits until the emulator answers at its address. */
export async function waitForEmulator(runDir: string, address: string, main: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + startSeconds * 1000;
  while (Date.now() < deadline && isAlive(main)) {
    const answer = await fetch(`${endpointOf(address)}/_ministack/health`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  throw stoppedError(runDir, address);
}

/** Ends the emulator and the Lambdas it started. */
export async function stopEmulator(main: ProcessIdentity): Promise<void> {
  const group = -main.pid;
  const wasAlive = isAlive(main);
  await end(main, 'SIGTERM');
  if (!wasAlive) return;
  try {
    process.kill(group, 'SIGKILL');
  } catch {
    // The group ended with its leader.
  }
}

function stoppedError(runDir: string, address: string): WorldError {
  const tail = lastLines(readFileSync(logOf(runDir), 'utf8'), 8);
  return new WorldError(
    'EmulatorStopped',
    `The AWS emulator does not answer at ${address}.`,
    tail || 'No output.',
  );
}

function logOf(runDir: string): string {
  return join(runDir, 'log', 'emulator.log');
}
