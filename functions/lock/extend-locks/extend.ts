import pMap from 'p-map';
import type { ObjectLockSettings } from '../../contract/settings.ts';
import { extension, isLocked } from '../../core/retention/object-lock.ts';
import type { LockedBucket, StoredVersion, VersionMarker } from '../../ports/locked-bucket.ts';

/** Parallel versions; each takes two small requests, which mostly wait for S3. */
const CONCURRENCY = 32;

/** What locks are extended with. */
export interface ExtendContext {
  readonly bucket: LockedBucket;
  readonly lock: ObjectLockSettings;
  readonly now: Date;
  readonly timeLeft: () => boolean;
}

/** Counts of versions, and where the next call resumes. */
export interface ExtendResult {
  readonly checked: number;
  readonly extended: number;
  /** Versions in GOVERNANCE mode. */
  readonly governed: number;
  /** Where to resume; undefined when all is done. */
  readonly after: VersionMarker | undefined;
}

/**
 * Extends the object retention of every version below the prefixes that needs it, page by page, while time is left.
 * It includes overwritten versions, because a rewind needs them. It leaves out deleted objects of repositories, because
 * a prune removed them. Deleted objects of a kept recovery point are included, because no prune removed them.
 */
export async function extendLocks(
  { bucket, lock, now, timeLeft }: ExtendContext,
  prefixes: readonly string[],
  from: VersionMarker | undefined,
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

/** Prefixes that a pass resumed at `from` still has to process. They are sorted, as S3 lists keys. */
const left = (prefixes: readonly string[], from: VersionMarker | undefined): readonly string[] =>
  from ? prefixes.filter((p) => p >= from.key || from.key.startsWith(p)) : prefixes;
