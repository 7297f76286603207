import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageNames, versions } from '../base/settings.ts';
import { run } from './command.ts';
import { debian } from './debian.ts';
import { kubernetes, pause, restic } from './go.ts';
import { type ImageDescription, type ImageEntry, ociArchive } from './oci-archive.ts';
import { folderOf, type Tool } from './provide.ts';

/** The images that pods of a world can use, as archives that the container runtime imports. */
export const images: Tool = {
  name: 'images',
  version: [versions.images, versions.kubernetes, versions.restic, versions.debian, versions.pause].join('-'),
  build: async (folder) => {
    const base = await baseEntries();
    const descriptions = [pauseImage(), resticImage(base), busyboxImage(base), etcdImage(), kubectlImage()];
    for (const image of descriptions) {
      const file = `${image.name.replaceAll(/[^a-z0-9.]+/g, '_')}.tar`;
      writeFileSync(join(folder, file), await ociArchive(image));
    }
  },
};

function pauseImage(): ImageDescription {
  const content = readFileSync(join(folderOf(pause), 'pause'));
  return {
    name: imageNames.pause,
    entrypoint: ['/pause'],
    entries: [{ type: 'file', path: 'pause', mode: 0o755, content }],
  };
}

/** Like the published image: restic is the entrypoint, and a shell is included. */
function resticImage(base: readonly ImageEntry[]): ImageDescription {
  const content = readFileSync(join(folderOf(restic), 'restic'));
  const program: ImageEntry = { type: 'file', path: 'usr/bin/restic', mode: 0o755, content };
  return { name: imageNames.restic, entrypoint: ['/usr/bin/restic'], entries: [...base, program] };
}

/** Like the published image: etcd's programs and no shell. */
function etcdImage(): ImageDescription {
  const programs = ['etcd', 'etcdctl', 'etcdutl'].map((name): ImageEntry => {
    const content = readFileSync(join(folderOf(debian), 'usr/bin', name));
    return { type: 'file', path: `usr/local/bin/${name}`, mode: 0o755, content };
  });
  // Debian links them with the C library, which the published ones do without.
  const libraries = ['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2'].map(
    (path): ImageEntry => ({ type: 'file', path: path.slice(1), mode: 0o755, content: readFileSync(path) }),
  );
  const folders = [
    ...['usr', 'usr/local', 'usr/local/bin', 'lib', 'lib/x86_64-linux-gnu', 'lib64'],
    ...['etc', 'proc', 'sys', 'dev', 'var'],
  ];
  return {
    name: imageNames.etcd,
    entrypoint: ['/usr/local/bin/etcd'],
    entries: [...folders.map((path): ImageEntry => ({ type: 'directory', path })), ...libraries, ...programs],
  };
}

/** Like the published image: kubectl and no shell. */
function kubectlImage(): ImageDescription {
  const content = readFileSync(join(folderOf(kubernetes), 'kubectl'));
  return {
    name: imageNames.kubectl,
    entrypoint: ['/bin/kubectl'],
    entries: [
      ...['bin', 'etc', 'proc', 'sys', 'dev'].map((path): ImageEntry => ({ type: 'directory', path })),
      { type: 'directory', path: 'tmp', mode: 0o1777 },
      { type: 'file', path: 'bin/kubectl', mode: 0o755, content },
    ],
  };
}

function busyboxImage(base: readonly ImageEntry[]): ImageDescription {
  return { name: imageNames.busybox, command: ['sh'], entries: base };
}

/** Folders, users, certificates, and busybox under every name it answers to. */
async function baseEntries(): Promise<ImageEntry[]> {
  const busybox = join(folderOf(debian), 'usr/bin/busybox');
  const applets = (await run(busybox, ['--list'])).split('\n').filter((name) => name && name !== 'busybox');
  const folders = [
    'bin',
    'usr',
    'usr/bin',
    'etc',
    'etc/ssl',
    'etc/ssl/certs',
    'proc',
    'sys',
    'dev',
    'root',
    'var',
  ];
  return [
    ...folders.map((path): ImageEntry => ({ type: 'directory', path })),
    { type: 'directory', path: 'tmp', mode: 0o1777 },
    { type: 'file', path: 'bin/busybox', mode: 0o755, content: readFileSync(busybox) },
    ...applets.map((name): ImageEntry => ({ type: 'symlink', path: `bin/${name}`, target: 'busybox' })),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
    text('etc/group', 'root:x:0:\nnobody:x:65534:\n'),
    ...certificates(),
  ];
}

/** A world without authorities still works: nothing in it can be reached by a public name. */
function certificates(): ImageEntry[] {
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  if (!existsSync(bundle)) return [];
  return [{ type: 'file', path: bundle.slice(1), content: readFileSync(bundle) }];
}

function text(path: string, content: string): ImageEntry {
  return { type: 'file', path, content: Buffer.from(content) };
}
