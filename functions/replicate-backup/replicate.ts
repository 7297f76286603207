import pMap, { pMapSkip } from 'p-map';
import type { Vault } from '../adapters/s3/vault.ts';
import { HoldfastError } from '../core/errors.ts';
import { type BackupRecord, snapshotsIn } from '../core/record.ts';
import { contentHash, inCopyOrder, type Pair, pairs, repositoryStages } from '../core/replication.ts';
import type { VaultKeys } from '../core/vault-keys.ts';

const CONCURRENCY = 8;
/** Object metadata of a copy: the ETag of what it is a copy of. */
const SOURCE_ETAG = 'holdfast-source-etag';

export interface ReplicateResult {
  /** 0: everything is in the replica. Else at least as many objects are not. */
  readonly remaining: number;
  readonly objects: number;
  readonly bytes: number;
  readonly copied: number;
}

/**
 * Compares the two copies of a recovery point object by object and copies what is missing, in the order in which nothing
 * ever refers to what is not there. A copy comes into being only with the sha256 of the bytes read from the primary, which
 * must also be the one that the record, or the name of a restic object, promises. So an object that is in the replica
 * under a proven name is proven itself. Neither listings nor objects are held in memory.
 */
export async function replicate(
  primary: Vault,
  replica: Vault,
  keys: VaultKeys,
  record: BackupRecord,
  timeLeft: () => boolean,
): Promise<ReplicateResult> {
  const promised = new Map(record.objects.map((o) => [o.key, o.sha256]));
  const namespaces = [...new Set(snapshotsIn(record).map((s) => s.namespace))];
  const repositories = namespaces.map((namespace) => keys.restic.repository(namespace));
  const seen = { remaining: 0, objects: 0, bytes: 0, copied: 0 };

  async function* open(prefix: string): AsyncGenerator<Pair> {
    for await (const pair of pairs(primary.list(prefix), replica.list(prefix))) {
      if (!timeLeft()) {
        seen.remaining++;
        return;
      }
      seen.objects++;
      seen.bytes += pair.object.bytes;
      yield pair;
    }
  }
  const bring = async ({ object, copy: found }: Pair): Promise<typeof pMapSkip> => {
    if (await isCopyOf(replica, object, found)) return pMapSkip;
    if (!timeLeft()) seen.remaining++;
    else {
      await copy(primary, replica, object, contentHash(object.key) ?? promised.get(object.key));
      seen.copied++;
    }
    return pMapSkip;
  };
  for (const stage of repositoryStages(repositories)) {
    for (const prefix of stage) await pMap(open(prefix), bring, { concurrency: CONCURRENCY });
    if (seen.remaining > 0) return seen; // what refers to this stage must not be copied before it is whole
  }
  const few: Pair[] = [];
  for (const prefix of [keys.velero.dir(record.backup), keys.records.dir(record.backup)])
    for await (const pair of open(prefix)) few.push(pair);
  for (const batch of inCopyOrder(few)) {
    if (seen.remaining > 0) return seen;
    await pMap(batch, bring, { concurrency: CONCURRENCY });
  }
  return seen;
}

/** Whether what the replica has is a proven copy: by its name, or by what it says it was copied from. */
async function isCopyOf(replica: Vault, object: Pair['object'], found: Pair['copy']): Promise<boolean> {
  if (found === undefined || found.bytes !== object.bytes) return false;
  if (contentHash(object.key) !== undefined) return true;
  return (await replica.metadata(object.key))[SOURCE_ETAG] === object.etag;
}

async function copy(
  primary: Vault,
  replica: Vault,
  { key, bytes, etag }: Pair['object'],
  promised: string | undefined,
): Promise<void> {
  await replica.upload(key, await primary.stream(key), {
    bytes,
    metadata: { [SOURCE_ETAG]: etag },
    check: (sha256) => {
      if (promised === undefined || promised === sha256) return;
      throw new HoldfastError(
        'RecoveryPointDamaged',
        `${key} in ${primary.bucket} has sha256 ${sha256}, promised was ${promised}`,
        { hint: 'The replica keeps its older copies; run the plan again' },
      );
    },
  });
}
