/** One object of a bucket's listing. ETags of two copies differ under KMS, so they compare only with themselves. */
export interface InventoryObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

/** Inside a restic repository, what refers to something comes after it, so a torn copy never refers to nothing. */
const RESTIC_ORDER = ['config', 'keys', 'data', 'index', 'snapshots'];

/** Position of a key's batch: a batch is copied only when the ones before it are whole. */
export function copyRank(key: string): number {
  const restic = /^restic\/[^/]+\/[^/]+\/([^/]+)/.exec(key);
  if (restic) return RESTIC_ORDER.indexOf(restic[1] as string);
  if (/^records\/[^/]+\/[^/]+\/record\.json$/.test(key)) return 99; // the commit marker last
  return key.endsWith('/velero-backup.json') ? 50 : 10;
}

/** The sha256 that an object's name promises: restic names packs, indexes, keys and snapshots after their content. */
export function contentHash(key: string): string | undefined {
  return /^restic\/[^/]+\/[^/]+\/(?:data\/[0-9a-f]{2}|index|keys|snapshots)\/([0-9a-f]{64})$/.exec(key)?.[1];
}

/** Keys that a replica does not need: restic's locks and a backup's progress are of those at work, the proof of the primary. */
export function isReplicated(key: string): boolean {
  return !/^(restic\/[^/]+\/[^/]+\/locks\/|records\/[^/]+\/[^/]+\/(replica|progress)\.json$)/.test(key);
}

/** What is missing in the replica or differs there, in the order in which it may be copied. */
export function missingInReplica(
  primary: readonly InventoryObject[],
  replica: ReadonlyMap<string, InventoryObject>,
  same: (a: InventoryObject, b: InventoryObject) => boolean,
): InventoryObject[] {
  return primary
    .filter((o) => isReplicated(o.key))
    .filter((o) => {
      const copy = replica.get(o.key);
      return copy === undefined || copy.bytes !== o.bytes || !same(o, copy);
    })
    .sort((a, b) => copyRank(a.key) - copyRank(b.key) || (a.key < b.key ? -1 : 1));
}
