import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../base/progress.ts';
import { projectRoot, versions } from '../base/settings.ts';
import { run } from './command.ts';
import type { Tool } from './provide.ts';

export const goEnv = { GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOWORK: 'off' };
const programs = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

/** The Kubernetes programs, built from the Go module proxy. */
export const kubernetes: Tool = {
  name: 'kubernetes',
  version: versions.kubernetes,
  build: async (folder, onProgress) => {
    const source = join(folder, 'source');
    await step('kubernetes sources', onProgress, () => writeKubernetesModule(source));
    for (const program of programs) {
      const args = ['build', '-trimpath', '-ldflags', kubernetesLinkerFlags(), '-o', join(folder, program)];
      await step(`kubernetes: ${program}`, onProgress, () =>
        run('go', [...args, `k8s.io/kubernetes/cmd/${program}`], { cwd: source, env: goEnv }),
      );
    }
    rmSync(source, { recursive: true });
  },
};

/**
 * restic, built from a wrapper module. `go install restic@version` would do the same but also asks the
 * proxy for the list of all versions, which not every proxy serves.
 */
export const restic: Tool = {
  name: 'restic',
  version: versions.restic,
  build: async (folder) => {
    const source = join(folder, 'source');
    const main = 'github.com/restic/restic/cmd/restic';
    const requirement = `github.com/restic/restic v${versions.restic}`;
    writeModule(source, `module holdfast.local/restic\n\ngo 1.25.8\n\nrequire ${requirement}\n`, [main]);
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, 'restic'), main];
    await run('go', args, { cwd: source, env: goEnv });
    rmSync(source, { recursive: true });
  },
};

/** The program that holds a pod's namespaces open; its source is in world/sandbox/pause. */
export const pause: Tool = {
  name: 'pause',
  version: versions.pause,
  build: async (folder) => {
    const source = join(folder, 'source');
    mkdirSync(source);
    for (const file of ['go.mod', 'main.go']) {
      copyFileSync(join(projectRoot, 'world/sandbox/pause', file), join(source, file));
    }
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, 'pause'), '.'];
    await run('go', args, { cwd: source, env: goEnv });
    rmSync(source, { recursive: true });
  },
};

/** Kubernetes refers to its staging modules by path; a module that depends on it must name their versions. */
async function writeKubernetesModule(source: string): Promise<void> {
  const download = ['mod', 'download', '-json', `k8s.io/kubernetes@v${versions.kubernetes}`];
  const found: unknown = JSON.parse(await run('go', download, { cwd: '/', env: goEnv }));
  const folder = found && typeof found === 'object' && 'Dir' in found ? String(found.Dir) : '';
  const upstream = readFileSync(join(folder, 'go.mod'), 'utf8');
  const staging = [...upstream.matchAll(/^\t(k8s\.io\/[a-z0-9-]+) => \.\/staging\//gm)].map(
    (match) => match[1],
  );
  const stagingVersion = `v0.${versions.kubernetes.slice(2)}`;
  const goMod = [
    'module holdfast.local/kubernetes',
    // The godebug lines keep the defaults that Kubernetes was released with.
    ...(upstream.match(/^(go|godebug) .*$/gm) ?? []),
    `require k8s.io/kubernetes v${versions.kubernetes}`,
    ...staging.map((name) => `replace ${name} => ${name} ${stagingVersion}`),
  ];
  const imports = programs.map((program) => `k8s.io/kubernetes/cmd/${program}`);
  writeModule(source, `${goMod.join('\n\n')}\n`, imports);
  await run('go', ['mod', 'tidy'], { cwd: source, env: goEnv });
}

function kubernetesLinkerFlags(): string {
  const values = {
    gitVersion: `v${versions.kubernetes}`,
    gitMajor: '1',
    gitMinor: versions.kubernetes.split('.')[1],
    gitTreeState: 'clean',
    gitCommit: '0'.repeat(40),
    buildDate: '2026-01-01T00:00:00Z',
  };
  const settings = Object.entries(values).map(
    ([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`,
  );
  return ['-s -w', ...settings].join(' ');
}

export function writeModule(folder: string, goMod: string, imports: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const lines = imports.map((path) => `import _ "${path}"`);
  writeFileSync(join(folder, 'go.mod'), goMod);
  writeFileSync(join(folder, 'tools.go'), `//go:build tools\n\npackage tools\n\n${lines.join('\n')}\n`);
}
