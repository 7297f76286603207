import type { Readable } from 'node:stream';
import type { InventoryObject } from '../core/vault/replication.ts';

/**
 * Operations on one bucket of the vault. Keys are ordered by their UTF-8 bytes. Reads and listings are strongly
 * consistent.
 *
 * Errors have these names, and no others:
 * - `VaultObjectMissing`: the object does not exist. Methods that return undefined for a missing object do not throw it.
 * - `VaultUnavailable`: any other failure, also in the middle of a body. It is retryable.
 *
 * A HoldfastError of the caller (from an uploaded stream, or from `check`) is rethrown unchanged.
 */
export interface Vault {
  readonly bucket: string;
  readonly region: string;
  /** The complete object, in a buffer that the caller owns. */
  get(key: string): Promise<Buffer>;
  /** The complete object with its ETag, for `putIf`; undefined if it does not exist. */
  find(key: string): Promise<{ body: Buffer; etag: string } | undefined>;
  /**
   * Streams the version that was current at the time of the call. A caller that does not read to the end must destroy the
   * stream. Throws if the object does not exist. An interrupted body fails the stream with `VaultUnavailable`; it never
   * ends early without an error.
   */
  stream(key: string): Promise<Readable>;
  /** The sha256 (hex) and length of an object, read as a stream; undefined if it does not exist. */
  digest(key: string): Promise<ObjectDigest | undefined>;
  exists(key: string): Promise<boolean>;
  /** User metadata of the object. */
  metadata(key: string): Promise<Record<string, string>>;
  about(key: string): Promise<ObjectFacts>;
  /** Writes an object or a new version of it. All writes are atomic. */
  put(key: string, body: Buffer, options?: PutOptions): Promise<void>;
  /**
   * Writes only if the object has this ETag, or, for `undefined`, does not exist. Returns false otherwise. Of concurrent
   * calls exactly one succeeds.
   */
  putIf(key: string, body: Buffer, etag: string | undefined): Promise<boolean>;
  /** Uploads a stream in constant memory and returns the ETag. A stream that fails writes nothing. */
  upload(key: string, body: Readable, options?: UploadOptions): Promise<string>;
  /**
   * All objects below a prefix in key order, optionally only those after a key. Objects that are created or removed
   * meanwhile may be included or not.
   */
  list(prefix: string, after?: string): AsyncGenerator<InventoryObject>;
  /** Names of the folders directly below a prefix, in key order (`a-b/` is before `a/`). */
  folders(prefix: string): Promise<string[]>;
  /** Removes any number of objects. A missing object is not an error. After an error some objects may be removed. */
  remove(keys: readonly string[]): Promise<void>;
}

export interface ObjectDigest {
  /** Hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Properties of an object that are not in a listing. */
export interface ObjectFacts {
  readonly metadata: Record<string, string>;
  /** Hex, of all bytes; only if S3 computed it during the upload. */
  readonly sha256?: string;
  /** Whether S3 replication created it, with the metadata of the source. */
  readonly byReplication: boolean;
  /** Whether S3 replication has yet to copy it. */
  readonly underWay: boolean;
}

export interface PutOptions {
  /** Metadata; names in lower case. */
  readonly metadata?: Record<string, string>;
  /** Hex. A mismatch with the received bytes is `VaultUnavailable`. */
  readonly sha256?: string;
}

export interface UploadOptions {
  /** Length of the stream, if known. Required for objects over 48 GiB. */
  readonly bytes?: number;
  /** Metadata; names in lower case. */
  readonly metadata?: Record<string, string>;
  /**
   * Called with the sha256 (hex) of all bytes before the object is created; if it throws, the object is not created. With
   * `check`, S3 also verifies a checksum of each request.
   */
  readonly check?: (sha256: string) => void;
}
