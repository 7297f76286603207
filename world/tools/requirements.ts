import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { WorldError } from '../base/errors.ts';
import { run } from './command.ts';

/** What must be on the machine, and what to install when it is not. */
const forEmulator = { python3: 'Install Python 3.11 or newer with pip.' };
const forSandbox = {
  go: 'Install Go 1.25.8 or newer; the Kubernetes programs and restic are built with it.',
  'apt-get':
    'Use Debian 12 or newer, or a system derived from it; the container runtime comes from its packages.',
  dpkg: 'Install dpkg; it unpacks the container runtime.',
  unshare: 'Install util-linux.',
  nsenter: 'Install util-linux.',
  mount: 'Install the package mount.',
  bash: 'Install bash.',
};

/** Fails with one message that names everything this machine lacks. */
export async function requireSandboxMachine(): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new WorldError(
      'UnsupportedMachine',
      `The embedded cluster runs on Linux x64; this is ${process.platform} ${process.arch}.`,
      'Use a Linux x64 machine, or your own cluster: up --kubeconfig FILE --address IP.',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new WorldError(
      'NotRoot',
      'The local test cluster requires root, because it creates namespaces and cgroups.',
      'Run it as root, or use your own cluster: up --kubeconfig FILE --address IP.',
    );
  }
  requireCommands(forSandbox);
  await requireEmulatorMachine();
}

/** Stops with one clear message when this machine cannot run the AWS emulator. */
export async function requireEmulatorMachine(): Promise<void> {
  requireCommands(forEmulator);
  const probe = 'import sys, pip; sys.exit(0 if sys.version_info >= (3, 11) else 3)';
  await run('python3', ['-c', probe]).catch((cause: unknown) => {
    throw new WorldError(
      'PythonTooOld',
      'python3 is older than 3.11 or has no pip.',
      forEmulator.python3,
      cause,
    );
  });
}

function requireCommands(commands: Record<string, string>): void {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const [command, hint] of Object.entries(commands)) {
    if (!folders.some((folder) => existsSync(join(folder, command)))) {
      throw new WorldError('MissingTool', `${command} is not found on the PATH.`, hint);
    }
  }
}
