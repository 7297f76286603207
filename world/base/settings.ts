import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Versions of everything that is provisioned. A change here makes a new folder in the cache. */
export const versions = {
  kubernetes: '1.34.4',
  restic: '0.19.1',
  emulator: '1.5.33',
  /** Only for the tests of exchange; not part of a world. */
  velero: '1.18.3',
  veleroPluginForAws: '1.14.3',
  /** Only for the tests of the vault; not part of a world. */
  minio: '0.0.0-20260212201848-7aac2a2c5b7c',
  /** Only for the check of permissions; not part of a world. */
  cfnLint: '1.58.0',
  /** Counts changes of the Debian package list in tools/debian.ts. */
  debian: '3',
  /** Counts changes of sandbox/pause. */
  pause: '1',
  /** Counts changes of images/images.ts. */
  images: '3',
  /** Counts changes of storage/csi. */
  csi: '3',
  /** Counts changes of emulator/patches.ts and emulator/requirements.txt. */
  patches: '6',
} as const;

/** Addresses that exist only inside a world's network namespace, so two worlds may share them. */
export const network = {
  node: 'node1',
  nodeAddress: '10.201.0.1',
  podRange: '10.244.0.0/24',
  serviceRange: '10.96.0.0/16',
  apiServiceAddress: '10.96.0.1',
  apiServer: 'https://10.201.0.1:6443',
  emulatorPort: 4566,
} as const;

/** The emulator's account and fake keys. Fixed, because CDK remembers the account of a key. */
export const account = {
  id: '000000000000',
  partition: 'aws',
  accessKeyId: 'test',
  secretAccessKey: 'test',
  region: 'eu-west-1',
} as const;

/** Images as pods name them. They are imported from the cache; nothing is pulled. */
export const imageNames = {
  pause: 'holdfast.local/pause:1',
  restic: `docker.io/restic/restic:${versions.restic}`,
  busybox: 'docker.io/library/busybox:1.37',
  etcd: 'registry.k8s.io/etcd:3.5.16-0',
  kubectl: 'registry.k8s.io/kubectl:v1.34.4',
} as const;

/** The default storage class of the sandbox and the test-only driver that serves it. */
export const storage = { className: 'holdfast-folders', provisioner: 'folders.test.holdfast.io' } as const;

/** The folder that holds package.json. */
export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where tools and worlds live: outside the repository, and removable at any time no world is up. */
export function cacheDir(): string {
  return resolve(process.env.HOLDFAST_CACHE ?? join(homedir(), '.cache', 'holdfast'));
}

/** The run directory of one world; it exists exactly as long as the world does. */
export function runDirOf(name: string): string {
  return join(cacheDir(), 'worlds', name);
}
