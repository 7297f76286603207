/** One object of a bucket's listing. ETags of two copies differ under KMS, so they compare only with themselves. */
export interface InventoryObject {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly modified: Date;
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

/** Keys that a replica does not need: restic's locks and a backup's progress are of those at work, proof and lock are of one copy. */
export function isReplicated(key: string): boolean {
  return !/^(restic\/[^/]+\/[^/]+\/locks\/|records\/[^/]+\/[^/]+\/(replica|lock|progress)\.json$)/.test(key);
}

/** An object of the primary, and what the replica has under its name. */
export interface Pair {
  readonly object: InventoryObject;
  readonly copy: InventoryObject | undefined;
}

/**
 * Goes through two listings side by side, both in the order of S3 (by key), with a page of each in memory. What the replica
 * has beyond the primary is passed over: retention removes it.
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

/** Prefixes of repositories, in the order in which they are copied: what refers to something comes after it. */
export const repositoryStages = (repositories: readonly string[]): string[][] =>
  RESTIC_ORDER.map((kind) =>
    repositories.map((repository) => `${repository}/${kind}${kind === 'config' ? '' : '/'}`),
  );

/** Few objects in batches, in the order in which they may be copied: each only when the one before is whole. */
export function inCopyOrder(objects: readonly Pair[]): Pair[][] {
  const byRank = Map.groupBy(objects, (p) => copyRank(p.object.key));
  return [...byRank].sort(([a], [b]) => a - b).map(([, batch]) => batch);
}
