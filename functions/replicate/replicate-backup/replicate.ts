import pMap, { pMapIterable } from 'p-map';
import { readInventory, writeInventory } from '../../adapters/s3/inventory.ts';
import type { PerCopy } from '../../contract/copies.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { type BackupRecord, snapshotsIn } from '../../core/backup/record.ts';
import { ProvenBefore, type Version } from '../../core/vault/inventory.ts';
import { inCopyOrder, type Pair, pairs, repositoryStages } from '../../core/vault/replication.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { Replicator } from './copies.ts';

const CONCURRENCY = 8;
/** Keeps a large object from blocking the ones after it. */
const LIMITS = { concurrency: CONCURRENCY, backpressure: 8 * CONCURRENCY };

/** What a replication reads, writes and waits for. */
export interface ReplicateContext extends PerCopy<Vault> {
  readonly keys: VaultKeys;
  readonly timeLeft: () => boolean;
  /** Whether to leave objects to S3's own replication. */
  readonly awaitsS3?: boolean;
}

/** Progress of a replication, in objects and bytes. */
export interface ReplicateResult {
  /** 0: the replica is complete. Else a lower bound of the objects that are missing. */
  readonly remaining: number;
  readonly objects: number;
  readonly bytes: number;
  readonly copied: number;
  /** Copies that had to be read to be proven. */
  readonly read: number;
  /** Of what remains: objects that S3 is still to copy. */
  readonly awaited: number;
}

/**
 * Compares the two copies of a recovery point object by object, proves what the replica has, and copies what is missing or
 * wrong. The order makes sure that nothing in the replica refers to a missing object. It keeps an inventory of proven
 * objects per repository, so that old packs are listed but not proven again. Damage in one repository is an error once those of
 * other namespaces are complete. Neither listings nor objects are held in
 * memory. With `awaitsS3`, objects that S3's own replication is copying are left to it.
 */
export async function replicate(
  { primary, replica, keys, timeLeft, awaitsS3 = false }: ReplicateContext,
  record: BackupRecord,
): Promise<ReplicateResult> {
  const promised = new Map(record.objects.map((o) => [o.key, o.sha256]));
  const namespaces = [...new Set(snapshotsIn(record).map((s) => s.namespace))];
  const seen = { remaining: 0, objects: 0, bytes: 0 };
  const copies = new Replicator(primary, replica, promised, awaitsS3);
  const result = (): ReplicateResult => {
    const { copied, read, awaited } = copies;
    return { ...seen, remaining: seen.remaining + awaited, copied, read, awaited };
  };

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
  /** The proven copy of an object; undefined if there was no time for it, or S3 is still to copy it. */
  const bring = async (pair: Pair): Promise<Version | undefined> => {
    if (timeLeft()) return copies.bring(pair);
    seen.remaining++;
    return undefined;
  };
  const damaged: (HoldfastError | undefined)[] = namespaces.map(() => undefined);
  for (const stage of repositoryStages(namespaces.map(keys.restic.repository))) {
    for (const [i, prefix] of stage.entries())
      damaged[i] ??= await bringStage(replica, keys.inventory(prefix), open(prefix), bring).then(
        () => undefined,
        damageOf,
      );
    if (result().remaining > 0) return result(); // later stages refer to this one, so it must be complete
  }
  refuseDamaged(damaged);
  const few: Pair[] = [];
  for (const prefix of [keys.velero.dir(record.backup), keys.records.dir(record.backup)])
    for await (const pair of open(prefix)) few.push(pair);
  for (const batch of inCopyOrder(few)) {
    if (result().remaining > 0) return result();
    await pMap(batch, bring, { concurrency: CONCURRENCY });
  }
  return result();
}

/** Damage of a repository: it costs the later stages of that repository, and not those of others. Any other error is thrown. */
function damageOf(error: Error): HoldfastError {
  if (error instanceof HoldfastError && error.name === 'RecoveryPointDamaged') return error;
  throw error;
}

/** Nothing that refers to a damaged repository is copied: neither the record nor its documents. */
function refuseDamaged(damaged: readonly (HoldfastError | undefined)[]): void {
  const all = damaged.filter((d) => d !== undefined);
  if (all.length === 1) throw all[0];
  if (all.length > 1)
    throw new HoldfastError('RecoveryPointDamaged', all.map((d) => d.message).join('; '), { cause: all[0] });
}

/** Copies or proves one kind of a repository's objects, and stores the inventory, even if it fails or runs out of time. */
async function bringStage(
  replica: Vault,
  inventory: string | undefined,
  listing: AsyncIterable<Pair>,
  bring: (pair: Pair) => Promise<Version | undefined>,
): Promise<void> {
  if (!inventory) return pMapAll(listing, bring);
  const before = new ProvenBefore(readInventory(replica, inventory));
  const end = { added: 0, failure: undefined as unknown };

  async function* opened(): AsyncGenerator<{ pair: Pair; proven: boolean }> {
    for await (const pair of listing) {
      if (end.failure) return;
      const { object, copy } = pair;
      const proven = await before.has(object.key, copy);
      yield { pair, proven: proven && copy?.bytes === object.bytes };
    }
  }
  const prove = async ({ pair, proven }: { pair: Pair; proven: boolean }) => {
    if (proven) return pair.copy;
    try {
      const brought = await bring(pair);
      if (brought) end.added++;
      return brought;
    } catch (error) {
      end.failure ??= error;
      return undefined;
    }
  };
  async function* entries(): AsyncGenerator<Version> {
    try {
      for await (const entry of pMapIterable(opened(), prove, LIMITS)) if (entry) yield entry;
    } catch (error) {
      end.failure ??= error;
    }
    yield* before.rest();
  }
  await writeInventory(replica, inventory, entries(), () => end.added + before.dropped > 0);
  if (end.failure) throw end.failure;
}

async function pMapAll(listing: AsyncIterable<Pair>, bring: (pair: Pair) => Promise<unknown>): Promise<void> {
  for await (const _ of pMapIterable(listing, bring, LIMITS));
}
