import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { step } from '../base/progress.ts';
import { versions } from '../base/settings.ts';
import { run } from './command.ts';
import type { Tool } from './provide.ts';

/** These programs of trixie need no newer C library than bookworm has. */
const trixie = ['containerd', 'containernetworking-plugins', 'etcd-server', 'etcd-client', 'busybox-static'];

/** runc of trixie needs a newer C library, and the rest are libraries that must fit each other. */
const bookworm = [
  ...['runc', 'nftables', 'libnftables1', 'libnftnl11', 'libmnl0', 'libjansson4', 'libedit2', 'libxtables12'],
  ...['conntrack', 'libnetfilter-conntrack3', 'libnfnetlink0', 'fuse3'],
];

/** Container runtime, etcd and network tools, unpacked from Debian packages without installing them. */
export const debian: Tool = {
  name: 'debian',
  version: versions.debian,
  build: async (folder, onProgress) => {
    const mirror = await machineMirror();
    for (const [suite, packages] of [
      ['trixie', trixie],
      ['bookworm', bookworm],
    ] as const) {
      await step(`packages of ${suite}`, onProgress, () => unpack(folder, mirror, suite, packages));
    }
  },
};

/** The mirror the machine itself uses, whichever it is. */
async function machineMirror(): Promise<string> {
  const sites = await run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages']);
  const usable = sites.split('\n').filter((site) => site !== '' && !site.includes('security'));
  return usable[0] ?? 'http://deb.debian.org/debian';
}

/** Downloads with an apt state of its own, so that the system's package lists stay as they are. */
async function unpack(
  root: string,
  mirror: string,
  suite: string,
  packages: readonly string[],
): Promise<void> {
  const state = join(root, `.apt-${suite}`);
  const debs = join(state, 'debs');
  for (const folder of ['lists/partial', 'cache/archives/partial', 'etc/preferences.d', 'debs']) {
    mkdirSync(join(state, folder), { recursive: true });
  }
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(state, 'etc/sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  writeFileSync(join(state, 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': join(state, 'etc/sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': join(state, 'etc/preferences.d'),
    'Dir::State::lists': join(state, 'lists'),
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': join(state, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  const options = ['-q', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
  await run('apt-get', [...options, 'update']);
  await run('apt-get', [...options, 'download', ...packages], { cwd: debs });
  for (const deb of readdirSync(debs)) await run('dpkg', ['-x', join(debs, deb), root]);
  rmSync(state, { recursive: true, force: true });
}
