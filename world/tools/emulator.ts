import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot, versions } from '../base/settings.ts';
import { run } from './command.ts';
import { applyPatches } from './emulator-patches.ts';
import type { Tool } from './provide.ts';
import { pipInstall } from './python.ts';

/** What writes the calls that reach the emulator; its patches call it. */
const recorder = join(projectRoot, 'world/emulator/recorder.py');
const recorderVersion = createHash('sha256').update(readFileSync(recorder)).digest('hex').slice(0, 8);

/** MiniStack with all its packages in a folder of its own, patched. */
export const emulator: Tool = {
  name: 'ministack',
  version: `${versions.emulator}-${versions.patches}-${recorderVersion}`,
  build: async (folder) => {
    await pipInstall(folder, 'emulator-requirements.txt');
    const installed = join(folder, 'ministack');
    applyPatches(installed);
    copyFileSync(recorder, join(installed, 'core/recorder.py'));
    // Compiled once here, a start takes half a second less.
    await run('python3', ['-m', 'compileall', '-q', '-j', '2', folder], {
      env: { PYTHONDONTWRITEBYTECODE: '' },
    });
  },
};
