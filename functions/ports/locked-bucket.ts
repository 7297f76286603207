import type { ObjectRetention } from '../core/retention/object-lock.ts';

/**
 * Operations on the object locks of one bucket. None of them can shorten a lock or remove anything.
 *
 * Errors have these names: `VaultNotLocked` if a lock is set in a bucket without Object Lock, and
 * `VaultUnavailable` for everything else, including a rejected lock and a missing version.
 */
export interface LockedBucket {
  readonly bucket: string;
  /**
   * A page of the versions below a prefix: by key, newest version first, without delete markers. `after` is the `next` of
   * the previous page. Consecutive pages contain every version that exists throughout exactly once.
   */
  versions(prefix: string, after: VersionMarker | undefined): Promise<VersionPage>;
  /** The lock of a version; undefined if it has none. */
  retention(version: StoredVersion): Promise<ObjectRetention | undefined>;
  /** Sets a version's lock. A lock that ends earlier or has another mode is rejected. */
  extend(version: StoredVersion, to: ObjectRetention): Promise<void>;
}

/** A position in a listing of versions. */
export interface VersionMarker {
  readonly key: string;
  readonly version?: string | undefined;
}

export interface StoredVersion {
  readonly key: string;
  readonly version: string;
  /** The latest version of its key is a delete marker, as far as this page shows. */
  readonly deleted: boolean;
}

export interface VersionPage {
  readonly versions: readonly StoredVersion[];
  /** Where the next page begins; undefined on the last one. */
  readonly next: VersionMarker | undefined;
}
