import type { ObjectVersion } from '../core/vault/rewind.ts';
import type { KeptVersions } from '../core/vault/rewind-reach.ts';

/** The versions of one key, newest first, including delete markers. */
export type OneKey = readonly [ObjectVersion, ...ObjectVersion[]];

/**
 * Operations on the versions of one bucket of the vault. None of them removes anything. All errors are `VaultUnavailable`,
 * including those for a missing version and for a delete marker.
 */
export interface VersionedBucket {
  readonly bucket: string;
  /** How long the bucket keeps earlier versions below these prefixes. */
  kept(prefixes: readonly string[]): Promise<KeptVersions>;
  /** All versions below a prefix, one key at a time in key order, with one page of the listing in memory. */
  versions(prefix: string): AsyncGenerator<OneKey>;
  /** The version with its `copyOf`, which is not in a listing. */
  withOrigin(version: ObjectVersion): Promise<ObjectVersion>;
  /** Copies a version onto its key, with its metadata. The copy becomes the newest version and records its origin. */
  bringBack(version: ObjectVersion): Promise<void>;
}
