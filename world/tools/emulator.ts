import { join } from 'node:path';
import { projectRoot, versions } from '../base/settings.ts';
import { run } from './command.ts';
import { applyPatches } from './emulator-patches.ts';
import type { Tool } from './provide.ts';

/** MiniStack with all its packages in a folder of its own, patched. */
export const emulator: Tool = {
  name: 'ministack',
  version: `${versions.emulator}-${versions.patches}`,
  build: async (folder) => {
    const requirements = join(projectRoot, 'world/tools/emulator-requirements.txt');
    const options = [
      '--quiet',
      '--no-deps',
      '--no-compile',
      '--disable-pip-version-check',
      '--root-user-action=ignore',
    ];
    await run('python3', ['-m', 'pip', 'install', ...options, '--target', folder, '-r', requirements]);
    const installed = join(folder, 'ministack');
    applyPatches(installed);
    // Compiled once here, a start takes half a second less.
    await run('python3', ['-m', 'compileall', '-q', '-j', '2', folder], {
      env: { PYTHONDONTWRITEBYTECODE: '' },
    });
  },
};
