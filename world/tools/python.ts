import { join } from 'node:path';
import { projectRoot } from '../base/settings.ts';
import { run } from './command.ts';

/** Installs the pinned packages of a file in `world/tools` into a folder, without what they would bring beside. */
export async function pipInstall(folder: string, requirements: string): Promise<void> {
  const options = [
    '--quiet',
    '--no-deps',
    '--no-compile',
    '--disable-pip-version-check',
    '--root-user-action=ignore',
  ];
  const file = join(projectRoot, 'world/tools', requirements);
  await run('python3', ['-m', 'pip', 'install', ...options, '--target', folder, '-r', file]);
}
