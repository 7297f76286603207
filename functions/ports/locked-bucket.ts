import type { ObjectRetention } from '../core/retention/object-lock.ts';

/**
 * Verbs on the locks of one bucket. None of them can shorten a lock or remove anything.
 *
 * Errors have these names: `VaultNotLocked` when the bucket has no Object Lock and a lock is to be set, and
 * `VaultUnavailable` for anything else, a refused lock and a version that is missing among them.
 */
export interface LockedBucket {
  readonly bucket: string;
  /**
   * A page of the versions below a prefix: by key, and of a key the newest first; no delete markers. `after` is the `next` of
   * the page before. Pages that follow one another have every version that stays, once.
   */
  versions(prefix: string, after: VersionMarker | undefined): Promise<VersionPage>;
  /** The lock of a version; undefined when it has none. */
  retention(version: StoredVersion): Promise<ObjectRetention | undefined>;
  /** Sets a version's lock. A lock that would end earlier, or have another mode, is refused. */
  extend(version: StoredVersion, to: ObjectRetention): Promise<void>;
}

/** A place in a listing of versions. */
export interface VersionMarker {
  readonly key: string;
  readonly version?: string | undefined;
}

export interface StoredVersion {
  readonly key: string;
  readonly version: string;
  /** The newest thing under its key is a delete marker, as far as this page shows. */
  readonly deleted: boolean;
}

export interface VersionPage {
  readonly versions: readonly StoredVersion[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: VersionMarker | undefined;
}
