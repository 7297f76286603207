import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { archiveWriter } from '../../functions/adapters/archive/writer.ts';
import { objectPath } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { CallOptions, KubeClient, KubeMethod, KubeResponse } from '../../functions/ports/kubernetes.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { applyStage } from '../../functions/restore/apply-resources/stage.ts';
import { putRestore } from '../../functions/restore/documents.ts';
import { planArchive } from '../../functions/restore/plan-restore/plan.ts';
import { verifyRestore } from '../../functions/restore/verify-restore/verify.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { KINDS } from '../support/restores.ts';

// One function of a restore of many objects, in a process of its own. Prints its largest resident memory in MiB. The API server is
// a fake that makes its answers when it is asked, and the vault is a folder, so that the memory is the function's own.
const [what = '', folder = '', count = '0'] = process.argv.slice(2);
const N = Number(count);
const NAMESPACES = 50;
const [RESTORE, BACKUP] = ['restore-20260201020000-abcdef', 'daily-20260101000000'] as const;
const keys = vaultKeys('memory');
const namespaces = Array.from({ length: NAMESPACES }, (_, i) => `namespace-${i}`);

/** About 2.4 kB, of which a tenth does not compress. */
function configMap(i: number): Buffer {
  const random = createHash('sha512').update(String(i)).digest('hex');
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: nameOf(i),
        namespace: namespaces[i % NAMESPACES],
        uid: random.slice(0, 36),
        labels: { app: 'x', 'app.kubernetes.io/name': 'y' },
      },
      data: { a: random, b: 'some text that is the same '.repeat(75) },
    }),
  );
}
const nameOf = (i: number) => `object-with-a-usual-name-${i}`;

/** A vault in a folder. */
class FolderVault extends MemoryVault {
  private file(key: string): string {
    const path = join(folder, key);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }
  override async get(key: string): Promise<Buffer> {
    return readFileSync(this.file(key));
  }
  override async find(key: string): Promise<{ body: Buffer; etag: string } | undefined> {
    return (await this.exists(key)) ? { body: await this.get(key), etag: 'e' } : undefined;
  }
  override async exists(key: string): Promise<boolean> {
    return existsSync(this.file(key));
  }
  override async stream(key: string): Promise<Readable> {
    return createReadStream(this.file(key));
  }
  override async put(key: string, body: Buffer): Promise<void> {
    writeFileSync(this.file(key), body);
  }
  override async putIf(key: string, body: Buffer): Promise<boolean> {
    if (await this.exists(key)) return false;
    await this.put(key, body);
    return true;
  }
  override async upload(key: string, body: Readable): Promise<string> {
    await pipeline(body, createWriteStream(this.file(key)));
    return 'e';
  }
}

/** Lists the ConfigMaps page by page, and takes whatever is created. */
function generated(): KubeClient {
  const others = new FakeCluster(KINDS.configMaps);
  const call = async (method: KubeMethod, path: string, options: CallOptions = {}): Promise<KubeResponse> => {
    if (!path.endsWith('/configmaps')) return others.call(method, path, options);
    if (method === 'POST') return { status: 201, body: Buffer.from(JSON.stringify(options.body)) };
    const [, namespace] = /namespaces\/namespace-(\d+)\//.exec(path) ?? [];
    const step = namespace === undefined ? 1 : NAMESPACES;
    const from = Number(options.query?.continue ?? namespace ?? 0);
    const limit = Number(options.query?.limit ?? 500);
    const items: string[] = [];
    let i = from;
    for (; i < N && items.length < limit; i += step) items.push(configMap(i).toString());
    const metadata = JSON.stringify({ resourceVersion: '1', ...(i < N && { continue: String(i) }) });
    return { status: 200, body: Buffer.from(`{"metadata":${metadata},"items":[${items.join(',')}]}`) };
  };
  return { call, socket: () => others.socket(''), close: async () => undefined };
}

const vault: Vault = new FolderVault('memory');
const options = {};
const ports = {
  vault,
  keys,
  sourceOf: () => ({ vault, archive: keys.velero.archive }),
  withCluster: <T>(work: (cluster: KubeClient) => Promise<T>) => work(generated()),
};

async function make(): Promise<void> {
  const writer = archiveWriter();
  const uploading = vault.upload(keys.velero.archive(BACKUP), writer.output);
  for (const name of namespaces)
    await writer.add(
      TYPES.namespaces,
      name,
      undefined,
      Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    );
  for (let i = 0; i < N; i++)
    await writer.add(KINDS.configMaps, nameOf(i), namespaces[i % NAMESPACES], configMap(i));
  await writer.end();
  await uploading;
}

async function plan(): Promise<void> {
  const archive = await vault.stream(keys.velero.archive(BACKUP));
  const scope = scopeOf(options, namespaces);
  const { items, archiveSha256 } = await planArchive(archive, undefined, scope, options);
  const stored = {
    restore: RESTORE,
    backup: BACKUP,
    from: 'primary',
    fillsVolumes: true,
    namespaces,
    options,
  };
  const startedAt = new Date().toISOString();
  await putRestore(vault, keys, { ...stored, startedAt, archiveSha256, dryRun: false, volumes: [] }, items);
}

async function apply(): Promise<void> {
  for (const stage of [1, 2] as const)
    await applyStage({ ...ports, goOn: () => true }, { restore: RESTORE, backup: BACKUP, stage });
}

async function verify(): Promise<void> {
  const others = new FakeCluster();
  others.addNamespaces(...namespaces);
  const withCluster = <T>(work: (cluster: KubeClient) => Promise<T>) => {
    const { call, ...rest } = generated();
    const isOther = (path: string) => path === objectPath(TYPES.namespaces, '').replace(/\/$/, '');
    const both: KubeClient['call'] = (method, path, asked) =>
      isOther(path) ? others.call(method, path, asked) : call(method, path, asked);
    return work({ ...rest, call: both });
  };
  const done = await verifyRestore(
    { ...ports, withCluster, now: new Date() },
    { restore: RESTORE, backup: BACKUP },
  );
  if (!('phase' in done) || done.phase !== 'Completed') throw new Error(JSON.stringify(done));
}

const steps: Record<string, () => Promise<void>> = { make, plan, apply, verify };
const started = performance.now();
await steps[what]?.();
const seconds = Math.round((performance.now() - started) / 1000);
console.log(JSON.stringify({ mib: Math.round(process.resourceUsage().maxRSS / 1024), seconds }));
