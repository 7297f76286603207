import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { versions } from '../base/settings.ts';
import { run } from './command.ts';
import { goEnv, writeModule } from './go.ts';
import type { Tool } from './provide.ts';

/**
 * A second S3, stricter than the emulator's: it enforces object lock, versions and policies. Made only for the tests of the vault:
 * about three minutes on two cores.
 */
export const minioTool: Tool = {
  name: 'minio',
  version: versions.minio,
  build: async (folder) => {
    const source = join(folder, 'source');
    const main = 'github.com/minio/minio';
    writeModule(source, `module holdfast.local/minio\n\ngo 1.24.8\n\nrequire ${main} v${versions.minio}\n`, [
      main,
    ]);
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, 'minio'), main];
    await run('go', args, { cwd: source, env: goEnv });
    rmSync(source, { recursive: true });
  },
};
