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
 * objects per repository, so that old packs are listed but not proven again. Neither listings nor objects are held in
 * memory. With `awaitsS3`, objects that S3's own replication is copying are left to it.
 *
 * @throws HoldfastError RecoveryPointDamaged when an object is not what its name or the record promises. In a repository it
 * costs this repository alone: everything else is in the replica by then.
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
  const repositories = namespaces.map(keys.restic.repository);
  const damaged = new Map<string, HoldfastError>();
  for (const stage of repositoryStages(repositories)) {
    for (const prefix of stage) {
      const repository = repositories.find((r) => prefix.startsWith(`${r}/`)) ?? prefix;
      if (damaged.has(repository)) continue; // what its later stages refer to is not complete
      try {
        await bringStage(replica, keys.inventory(prefix), open(prefix), bring);
      } catch (error) {
        // Whoever has a namespace may put anything into its repository: it costs this repository alone.
        if (!(error instanceof HoldfastError) || error.name !== 'RecoveryPointDamaged') throw error;
        damaged.set(repository, error);
      }
    }
    if (result().remaining > 0) return result(); // later stages refer to this one, so it must be complete
  }
  const few: Pair[] = [];
  for (const prefix of [keys.velero.dir(record.backup), keys.records.dir(record.backup)])
    for await (const pair of open(prefix)) few.push(pair);
  for (const batch of inCopyOrder(few)) {
    if (result().remaining > 0) return result();
    await pMap(batch, bring, { concurrency: CONCURRENCY });
  }
  const [first, ...others] = damaged.values();
  if (!first) return result();
  if (others.length === 0) throw first;
  throw new HoldfastError('RecoveryPointDamaged', [first, ...others].map((e) => e.message).join('; '));
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
