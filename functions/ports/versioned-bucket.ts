import type { ObjectVersion } from '../core/rewind.ts';

/** The versions of one key, the newest first, delete markers among them. */
export type OneKey = readonly [ObjectVersion, ...ObjectVersion[]];

/**
 * Verbs on the versions of one bucket of the vault. None of them removes anything. All errors are `VaultUnavailable`, also
 * that of a version that is missing or is a delete marker.
 */
export interface VersionedBucket {
  readonly bucket: string;
  /** All versions below a prefix, key by key in the order of keys, with a page of the listing in memory. */
  versions(prefix: string): AsyncGenerator<OneKey>;
  /** The same version, with what it is a copy of: that is not in a listing. */
  withOrigin(version: ObjectVersion): Promise<ObjectVersion>;
  /** Copies a version onto its key, with its metadata: the copy is the newest version then, and says what it is a copy of. */
  bringBack(version: ObjectVersion): Promise<void>;
}
