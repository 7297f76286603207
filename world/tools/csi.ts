import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../base/progress.ts';
import { projectRoot, versions } from '../base/settings.ts';
import { run } from './command.ts';
import { goEnv } from './go.ts';
import type { Tool } from './provide.ts';

const source = join(projectRoot, 'world/storage/csi');
const programs = {
  'folder-driver': '.',
  'csi-provisioner': 'github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner',
  'csi-snapshotter': 'github.com/kubernetes-csi/external-snapshotter/v8/cmd/csi-snapshotter',
  'snapshot-controller': 'github.com/kubernetes-csi/external-snapshotter/v8/cmd/snapshot-controller',
};

/**
 * CSI storage with snapshots: the real provisioner, snapshotter, snapshot controller and definitions of its types, and a
 * test-only driver of folders behind them. Made only for the tests of snapshots: about three minutes on two cores.
 */
export const csiTool: Tool = {
  name: 'csi',
  version: versions.csi,
  build: async (folder, onProgress) => {
    const module = join(folder, 'source');
    mkdirSync(module);
    for (const file of readdirSync(source)) copyFileSync(join(source, file), join(module, file));
    await run('go', ['mod', 'tidy'], { cwd: module, env: goEnv });
    for (const [name, main] of Object.entries(programs)) {
      const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, name), main];
      await step(`csi: ${name}`, onProgress, () => run('go', args, { cwd: module, env: goEnv }));
    }
    await copyDefinitions(module, join(folder, 'crds'));
    rmSync(module, { recursive: true });
  },
};

/** The definitions of VolumeSnapshots are part of the client's module. */
async function copyDefinitions(module: string, to: string): Promise<void> {
  const client = 'github.com/kubernetes-csi/external-snapshotter/client/v8';
  const found = await run('go', ['list', '-m', '-f', '{{.Dir}}', client], { cwd: module, env: goEnv });
  const from = join(found.trim(), 'config/crd');
  mkdirSync(to);
  for (const file of readdirSync(from).filter((name) => name.startsWith('snapshot.storage.k8s.io_')))
    copyFileSync(join(from, file), join(to, file));
}
