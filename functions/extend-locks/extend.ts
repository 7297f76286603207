import pMap from 'p-map';
import type { ObjectLockSettings } from '../contract/settings.ts';
import { extension, isLocked } from '../core/object-lock.ts';
import type { LockedBucket, StoredVersion, VersionMarker } from '../ports/locked-bucket.ts';

/** Two small requests for each version, which wait for S3 and not for us. */
const CONCURRENCY = 32;

export interface ExtendResult {
  readonly checked: number;
  readonly extended: number;
  readonly governed: number;
  /** Where to go on; absent when all is done. */
  readonly after: VersionMarker | undefined;
}

/**
 * Looks at every version below the prefixes and gives a longer lock to those that need one, page by page, while time is left.
 * Not only at the newest version of a key: what was overwritten is what a rewind needs. Of what is deleted in a repository it
 * keeps its hands: that is what a prune has freed. A deleted part of a recovery point that is kept was not freed by a prune.
 */
export async function extendLocks(
  bucket: LockedBucket,
  prefixes: readonly string[],
  lock: ObjectLockSettings,
  now: Date,
  from: VersionMarker | undefined,
  timeLeft: () => boolean,
): Promise<ExtendResult> {
  const seen = { checked: 0, extended: 0, governed: 0 };
  const look = async (version: StoredVersion): Promise<void> => {
    const found = await bucket.retention(version);
    const longer = extension(found, lock, now);
    if (longer) await bucket.extend(version, longer);
    seen.checked++;
    if (longer) seen.extended++;
    if ((longer ?? found)?.mode === 'GOVERNANCE') seen.governed++;
  };
  let after = from;
  for (const prefix of left(prefixes, from)) {
    let within = after?.key.startsWith(prefix) ? after : undefined;
    do {
      if (!timeLeft()) return { ...seen, after: within ?? { key: prefix } };
      const page = await bucket.versions(prefix, within);
      await pMap(page.versions.filter(isToBeKept), look, { concurrency: CONCURRENCY });
      within = page.next;
    } while (within);
    after = undefined;
  }
  return { ...seen, after: undefined };
}

const isToBeKept = ({ key, deleted }: StoredVersion): boolean =>
  isLocked(key) && !(deleted && key.startsWith('restic/'));

/** Prefixes that a pass which has come to a place has still before it. They are sorted, as S3 lists keys. */
const left = (prefixes: readonly string[], from: VersionMarker | undefined): readonly string[] =>
  from ? prefixes.filter((p) => p >= from.key || from.key.startsWith(p)) : prefixes;
