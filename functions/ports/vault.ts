import type { Readable } from 'node:stream';
import type { InventoryObject } from '../core/replication.ts';

/**
 * Verbs on one bucket of the vault. Keys are compared by the bytes of their UTF-8. A read after a write that has returned
 * sees it, listings too.
 *
 * Errors have these names, and no others:
 * - `VaultObjectMissing`: there is no object under the key. Where a method says what it gives instead, it does not throw this.
 * - `VaultUnavailable`: anything else that went wrong on the way, also in the middle of a body. It is worth another try.
 *
 * A HoldfastError of the caller (of a stream that is uploaded, or of `check`) comes through as it is.
 */
export interface Vault {
  readonly bucket: string;
  readonly region: string;
  /** The whole object, in memory of the caller's own. */
  get(key: string): Promise<Buffer>;
  /** The whole object with its ETag, for `putIf`; undefined when it is missing. */
  find(key: string): Promise<{ body: Buffer; etag: string } | undefined>;
  /**
   * The object's bytes as they come, of the version that was there when this was called. Whoever does not read to the end
   * destroys it. An object that is missing throws here; a body that breaks off fails the stream with `VaultUnavailable`, and never
   * just ends it.
   */
  stream(key: string): Promise<Readable>;
  exists(key: string): Promise<boolean>;
  /** As it was given with the object. */
  metadata(key: string): Promise<Record<string, string>>;
  about(key: string): Promise<ObjectFacts>;
  /** Writes an object, or a new version of it. It comes into being whole or not at all, as with the other two verbs that write. */
  put(key: string, body: Buffer, options?: PutOptions): Promise<void>;
  /**
   * Writes only if the object is the one with this ETag, or if none is there (`undefined`); false when that is not so, or when
   * another was first. Of any number who try at once, one succeeds.
   */
  putIf(key: string, body: Buffer, etag: string | undefined): Promise<boolean>;
  /** Writes what a stream holds, in constant memory; the ETag of what it wrote. A stream that fails writes nothing. */
  upload(key: string, body: Readable, options?: UploadOptions): Promise<string>;
  /**
   * All objects below a prefix in the order of keys; those after a key, when it is given. What comes or goes meanwhile may be
   * among them or not.
   */
  list(prefix: string, after?: string): AsyncGenerator<InventoryObject>;
  /** Names of the folders right below a prefix, in the order of keys (`a-b/` is before `a/`). */
  folders(prefix: string): Promise<string[]>;
  /** Removes any number of objects. One that is missing is removed. After an error some may be gone. */
  remove(keys: readonly string[]): Promise<void>;
}

/** What S3 says of an object beside its listing. */
export interface ObjectFacts {
  readonly metadata: Record<string, string>;
  /** Hex, of all bytes; only where S3 computed it when it took the object. */
  readonly sha256?: string;
  /** Whether S3's own replication wrote it, with its origin's metadata. */
  readonly byReplication: boolean;
  /** Whether S3's replication is still to copy it elsewhere. */
  readonly underWay: boolean;
}

export interface PutOptions {
  /** Names in lower case. */
  readonly metadata?: Record<string, string>;
  /** Hex; an object whose bytes arrive with another one is refused as `VaultUnavailable`. */
  readonly sha256?: string;
}

export interface UploadOptions {
  /** Length of the stream, when it is known: objects beyond 48 GiB need it. */
  readonly bytes?: number;
  /** Names in lower case. */
  readonly metadata?: Record<string, string>;
  /**
   * Is called with the sha256 (hex) of all bytes before the object comes into being; what it throws prevents that. S3 is
   * then given digests, too, and refuses what it has not received like that.
   */
  readonly check?: (sha256: string) => void;
}
