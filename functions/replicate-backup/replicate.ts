import { createHash } from 'node:crypto';
import pMap from 'p-map';
import type { Vault } from '../adapters/s3/vault.ts';
import { HoldfastError } from '../core/errors.ts';
import { type BackupRecord, snapshotsIn } from '../core/record.ts';
import {
  contentHash,
  copyRank,
  type InventoryObject,
  isReplicated,
  missingInReplica,
} from '../core/replication.ts';
import type { VaultKeys } from '../core/vault-keys.ts';

const CONCURRENCY = 8;
/** Object metadata of a copy: the ETag of what it is a copy of. */
const SOURCE_ETAG = 'holdfast-source-etag';

export interface ReplicateResult {
  readonly remaining: number;
  readonly objects: number;
  readonly bytes: number;
  readonly copied: number;
}

/**
 * Compares the two copies of a recovery point object by object and copies what is missing. A copy is accepted by
 * S3 only with the sha256 of the bytes read from the primary, which must also be the one that the record, or the
 * name of a restic object, promises. So an object that is in the replica under a proven name is proven itself.
 */
export async function replicate(
  primary: Vault,
  replica: Vault,
  keys: VaultKeys,
  record: BackupRecord,
  timeLeft: () => boolean,
): Promise<ReplicateResult> {
  const prefixes = [
    keys.velero.dir(record.backup),
    ...resticPrefixes(keys, record),
    keys.records.dir(record.backup),
  ];
  const wanted = (await inventory(primary, prefixes)).filter((o) => isReplicated(o.key));
  const have = new Map((await inventory(replica, prefixes)).map((o) => [o.key, o]));
  const sources = await sourceEtags(
    replica,
    wanted.filter((o) => contentHash(o.key) === undefined && have.has(o.key)),
  );
  const missing = missingInReplica(
    wanted,
    have,
    (o) => contentHash(o.key) !== undefined || sources.get(o.key) === o.etag,
  );
  const promised = new Map(record.objects.map((o) => [o.key, o.sha256]));
  let copied = 0;
  for (const rank of [...new Set(missing.map((o) => copyRank(o.key)))]) {
    const batch = missing.filter((o) => copyRank(o.key) === rank);
    await pMap(
      batch,
      async (o) => {
        if (!timeLeft()) return;
        await copy(primary, replica, o, contentHash(o.key) ?? promised.get(o.key));
        copied++;
      },
      { concurrency: CONCURRENCY },
    );
    if (!timeLeft()) break; // what refers to this batch must not be copied before it is whole
  }
  const bytes = wanted.reduce((sum, o) => sum + o.bytes, 0);
  return { remaining: missing.length - copied, objects: wanted.length, bytes, copied };
}

function resticPrefixes(keys: VaultKeys, record: BackupRecord): string[] {
  const namespaces = new Set(snapshotsIn(record).map((s) => s.namespace));
  return [...namespaces].map((namespace) => `${keys.restic.repository(namespace)}/`);
}

async function inventory(vault: Vault, prefixes: readonly string[]): Promise<InventoryObject[]> {
  const all: InventoryObject[] = [];
  for (const prefix of prefixes) for await (const o of vault.list(prefix)) all.push(o);
  return all;
}

async function sourceEtags(
  replica: Vault,
  objects: readonly InventoryObject[],
): Promise<Map<string, string>> {
  const pairs = await pMap(
    objects,
    async (o) => [o.key, (await replica.metadata(o.key))[SOURCE_ETAG] ?? ''] as const,
    { concurrency: CONCURRENCY },
  );
  return new Map(pairs);
}

async function copy(
  primary: Vault,
  replica: Vault,
  object: InventoryObject,
  promised: string | undefined,
): Promise<void> {
  const body = await primary.get(object.key);
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (promised !== undefined && promised !== sha256) {
    throw new HoldfastError(
      'RecoveryPointDamaged',
      `${object.key} in ${primary.bucket} has sha256 ${sha256}, promised was ${promised}`,
      { hint: 'The replica keeps its older copies; run the plan again' },
    );
  }
  await replica.put(object.key, body, { sha256, metadata: { [SOURCE_ETAG]: object.etag } });
}
