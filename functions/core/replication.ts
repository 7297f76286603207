/** One object of an inventory. `checksum` is comparable between two objects only when both have it. */
export interface InventoryObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

/** Inside a restic repository, what refers to something comes after it, so a torn copy never refers to nothing. */
const RESTIC_ORDER = ['config', 'keys', 'data', 'index', 'snapshots'];

function rank(key: string): number {
  const restic = /^restic\/[^/]+\/[^/]+\/([^/]+)/.exec(key);
  if (restic) return RESTIC_ORDER.indexOf(restic[1] as string);
  if (/^records\/[^/]+\/[^/]+\/record\.json$/.test(key)) return 99; // the commit marker last
  return key.endsWith('/velero-backup.json') ? 50 : 10;
}

/** Keys that a replica does not need: restic's locks belong to whoever is at work, and the proof to the primary. */
export function isReplicated(key: string): boolean {
  return !/^restic\/[^/]+\/[^/]+\/locks\//.test(key) && !/^records\/[^/]+\/[^/]+\/replica\.json$/.test(key);
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
    .sort((a, b) => rank(a.key) - rank(b.key) || (a.key < b.key ? -1 : 1));
}
