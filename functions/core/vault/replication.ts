/** One object of a bucket's listing. ETags of two copies differ under KMS, so they compare only with themselves. */
export interface InventoryObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly modified: Date;
}

/** Order of copying within a restic repository: referenced objects first, so that an incomplete copy has no dangling references. */
const RESTIC_ORDER = ['config', 'keys', 'data', 'index', 'snapshots'];

/** Position of a key's batch: a batch is copied only after the previous ones are complete. */
export function copyRank(key: string): number {
  const restic = /^restic\/[^/]+\/[^/]+\/([^/]+)/.exec(key);
  if (restic) return RESTIC_ORDER.indexOf(restic[1] as string);
  if (/^records\/[^/]+\/[^/]+\/record\.json$/.test(key)) return 99; // the commit marker last
  return key.endsWith('/velero-backup.json') ? 50 : 10;
}

/** The sha256 in an object's name: restic names packs, indexes, keys and snapshots after their content. */
export function contentHash(key: string): string | undefined {
  return /^restic\/[^/]+\/[^/]+\/(?:data\/[0-9a-f]{2}|index|keys|snapshots)\/([0-9a-f]{64})$/.exec(key)?.[1];
}

/** Whether a key is replicated. Not replicated: restic's locks and progress.json of running work, and replica.json and lock.json, which belong to one copy. */
export function isReplicated(key: string): boolean {
  return !/^(restic\/[^/]+\/[^/]+\/locks\/|records\/[^/]+\/[^/]+\/(replica|lock|progress)\.json$)/.test(key);
}

/** An object of the primary, and the replica's object with the same key. */
export interface Pair {
  readonly object: InventoryObject;
  readonly copy: InventoryObject | undefined;
}

/**
 * Merges two listings, both in S3 key order, with one page of each in memory. Objects that exist only in the replica are
 * skipped; retention removes them.
 */
export async function* pairs(
  primary: AsyncIterable<InventoryObject>,
  replica: AsyncIterable<InventoryObject>,
): AsyncGenerator<Pair> {
  const copies = replica[Symbol.asyncIterator]();
  let copy = await copies.next();
  for await (const object of primary) {
    if (!isReplicated(object.key)) continue;
    while (!copy.done && copy.value.key < object.key) copy = await copies.next();
    yield { object, copy: !copy.done && copy.value.key === object.key ? copy.value : undefined };
  }
}

/** Prefixes of repositories in copy order: referenced objects first. */
export const repositoryStages = (repositories: readonly string[]): string[][] =>
  RESTIC_ORDER.map((kind) =>
    repositories.map((repository) => `${repository}/${kind}${kind === 'config' ? '' : '/'}`),
  );

/** Objects in batches, in copy order. A batch may be copied only after the previous one is complete. */
export function inCopyOrder(objects: readonly Pair[]): Pair[][] {
  const byRank = Map.groupBy(objects, (p) => copyRank(p.object.key));
  return [...byRank].sort(([a], [b]) => a - b).map(([, batch]) => batch);
}
