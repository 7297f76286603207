import { createHash } from 'node:crypto';
import { HoldfastError, messageOf } from '../contract/holdfast-error.ts';
import { decrypted, type RepositoryKey } from '../core/restic/encryption.ts';
import { isResticId, type ResticId, snapshotKey } from '../core/restic/ids.ts';
import { parseKeyFile } from '../core/restic/key-file.ts';
import { repositoryPassword } from '../core/restic/repository.ts';
import { isConfig, parseSnapshotFile, type SnapshotFacts } from '../core/restic/snapshot-file.ts';
import type { VaultKeys } from '../core/vault/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';

/** What a reader of repositories needs of a copy of the vault. */
export type RepositoryVault = Pick<Vault, 'bucket' | 'list' | 'stream'>;

/** An opened restic repository. */
export interface Repository {
  /**
   * What a snapshot says of itself; undefined if it is not there.
   *
   * @throws HoldfastError RecoveryPointDamaged when the stored bytes are not those of the id, or no snapshot of this
   * repository; VaultUnavailable.
   */
  snapshot(id: ResticId): Promise<SnapshotFacts | undefined>;
}

/** Largest object that is read. Whoever may write into a repository may write objects of any size. */
const MAX_BYTES = 2 ** 20;
/** As many keys as restic tries, and the cost of all trials: that of nine keys of restic 0.19, a few seconds. */
const MAX_KEYS = 20;
const MAX_COST = 2 ** 24;
const MAX_LISTED = 1000;

/**
 * Opens a repository without restic: derives the key of the password, which costs about half a second and 32 MiB. It reads
 * documents, no packs. `repository`: its key in the vault.
 *
 * @throws HoldfastError RecoveryPointDamaged when there is no repository that this password opens; VaultUnavailable.
 */
export async function openRepository(
  vault: RepositoryVault,
  repository: string,
  password: string,
): Promise<Repository> {
  const key = await keyOf(vault, repository, password);
  const config = await read(vault, `${repository}/config`);
  if (!config) throw damaged(vault, `${repository}/config`, 'does not exist');
  const text = decrypted(key, config);
  if (!text || !isConfig(text))
    throw damaged(vault, `${repository}/config`, 'is not that of a repository with this key');
  return {
    async snapshot(id) {
      const name = snapshotKey(repository, id);
      const stored = await read(vault, name);
      if (!stored) return undefined;
      if (sha256(stored) !== id) throw damaged(vault, name, 'does not have the bytes of its name');
      const plain = decrypted(key, stored);
      const facts = plain && parseSnapshotFile(id, plain);
      if (!facts) throw damaged(vault, name, 'is no snapshot of this repository');
      return facts;
    },
  };
}

/** Opens the repositories of namespaces in a copy of the vault. The master secret is asked for once, when it is needed. */
export function repositoryOpener(
  vault: RepositoryVault,
  keys: VaultKeys,
  masterSecret: () => Promise<string>,
): (namespace: string) => Promise<Repository> {
  let master: Promise<string> | undefined;
  return async (namespace) => {
    master ??= masterSecret();
    const repository = keys.restic.repository(namespace);
    return openRepository(vault, repository, repositoryPassword(await master, repository));
  };
}

/** The repository's key, from the first key file that the password opens. */
async function keyOf(vault: RepositoryVault, repository: string, password: string): Promise<RepositoryKey> {
  const dir = `${repository}/keys/`;
  let [listed, tried, cost] = [0, 0, 0];
  for await (const { key } of vault.list(dir)) {
    if (listed++ >= MAX_LISTED) break;
    const id = key.slice(dir.length);
    if (!isResticId(id)) continue;
    const stored = await read(vault, key).catch(ignoreDamage);
    const lock = stored && sha256(stored) === id ? parseKeyFile(stored) : undefined;
    if (!lock || cost + lock.cost > MAX_COST) continue;
    cost += lock.cost;
    if (tried++ >= MAX_KEYS) break;
    const found = await lock.open(password);
    if (found) return found;
  }
  throw damaged(vault, dir, 'has no key that the password of this repository opens');
}

/** A key file that is too large is none. */
function ignoreDamage(error: Error): undefined {
  if (error.name !== 'RecoveryPointDamaged') throw error;
  return undefined;
}

/** A small object; undefined if it does not exist. Reads no further than the limit. */
async function read(vault: RepositoryVault, key: string): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of await vault.stream(key)) {
      parts.push(part);
      bytes += part.length;
      if (bytes > MAX_BYTES) throw damaged(vault, key, `has more than ${MAX_BYTES} bytes`);
    }
  } catch (error) {
    if ((error as Error).name === 'VaultObjectMissing') return undefined;
    if (isRefused(error)) throw damaged(vault, key, `cannot be read: ${messageOf(error)}`);
    throw error;
  }
  return Buffer.concat(parts);
}

/**
 * Answers of S3 about one object: whoever may write it chooses its storage class and its key, and so that nobody else can read
 * it. All other failures are of S3, and pass.
 */
const REFUSALS =
  /^(AccessDenied|InvalidObjectState|InvalidRequest|KMS\.(NotFound|Disabled|KMSInvalidState)\w*)$/;

function isRefused(error: unknown): boolean {
  const { name, cause } = error as Error;
  return name === 'VaultUnavailable' && cause instanceof Error && REFUSALS.test(cause.name);
}

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

const damaged = ({ bucket }: RepositoryVault, key: string, why: string): HoldfastError =>
  new HoldfastError('RecoveryPointDamaged', `${key} in bucket ${bucket} ${why}`);
