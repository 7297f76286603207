import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../base/progress.ts';
import { versions } from '../base/settings.ts';
import { run } from './command.ts';
import { goEnv, writeModule } from './go.ts';
import type { Tool } from './provide.ts';

const velero = 'github.com/vmware-tanzu/velero';
const plugin = 'github.com/vmware-tanzu/velero-plugin-for-aws';

/** A real Velero with its AWS plugin, to exchange backups with. Made only when asked for: about five minutes on two cores. */
export const veleroTool: Tool = {
  name: 'velero',
  version: `${versions.velero}-${versions.veleroPluginForAws}`,
  build: async (folder, onProgress) => {
    await step('velero server', onProgress, () => buildServer(folder));
    await step('velero plugin for AWS', onProgress, () =>
      build(folder, 'velero-plugin-for-aws', `${plugin}/velero-plugin-for-aws`, [
        `require ${plugin} v${versions.veleroPluginForAws}`,
      ]),
    );
  },
};

/** A module that depends on Velero must repeat what it replaces, and take the cli-runtime that fits its other libraries. */
async function buildServer(folder: string): Promise<void> {
  const download = ['mod', 'download', '-json', `${velero}@v${versions.velero}`];
  const found: unknown = JSON.parse(await run('go', download, { cwd: '/', env: goEnv }));
  const source = found && typeof found === 'object' && 'Dir' in found ? String(found.Dir) : '';
  const replaced = readFileSync(join(source, 'go.mod'), 'utf8').match(/^replace .*$/gm) ?? [];
  await build(folder, 'velero', `${velero}/cmd/velero`, [
    `require ${velero} v${versions.velero}`,
    ...replaced,
    'replace k8s.io/cli-runtime => k8s.io/cli-runtime v0.33.10',
  ]);
}

async function build(
  folder: string,
  name: string,
  main: string,
  requirements: readonly string[],
): Promise<void> {
  const source = join(folder, `source-${name}`);
  writeModule(source, `${[`module holdfast.local/${name}`, 'go 1.26.0', ...requirements].join('\n\n')}\n`, [
    main,
  ]);
  const flags = `-s -w -X ${velero}/pkg/buildinfo.Version=v${versions.velero}`;
  await run('go', ['mod', 'tidy'], { cwd: source, env: goEnv });
  await run('go', ['build', '-trimpath', '-ldflags', flags, '-o', join(folder, name), main], {
    cwd: source,
    env: goEnv,
  });
  rmSync(source, { recursive: true });
}
