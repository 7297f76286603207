import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { HoldfastError, messageOf } from '../../functions/contract/holdfast-error.ts';
import { digestOf } from '../../functions/core/bytes/digest.ts';
import { compareKeys } from '../../functions/core/vault/key-order.ts';
import type { InventoryObject } from '../../functions/core/vault/replication.ts';
import type {
  ObjectDigest,
  ObjectFacts,
  PutOptions,
  UploadOptions,
  Vault,
} from '../../functions/ports/vault.ts';

interface Stored {
  readonly body: Buffer;
  readonly metadata: Record<string, string>;
  /** As if S3's replication had written it. */
  readonly byReplication?: boolean;
  /** As if S3's replication were still to copy it. */
  readonly underWay?: boolean;
  /** What S3 keeps of an upload that came with it. */
  readonly sha256?: string;
  /** Absent: long ago. */
  readonly modified?: Date;
}

export class Killed extends Error {
  override readonly name = 'Killed';
}

const sha256Of = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** A vault in memory, in place of a bucket where a test must end a function at each of its calls. */
export class MemoryVault implements Vault {
  readonly bucket: string;
  readonly region = 'nowhere';
  readonly objects = new Map<string, Stored>();
  /** Calls that may still succeed; the next one ends the caller. */
  callsLeft = Number.POSITIVE_INFINITY;
  calls = 0;
  /** Keys of which the next read breaks off half way. */
  readonly breaking = new Set<string>();
  /** When what is written now was written. */
  clock = new Date(0);

  constructor(bucket: string) {
    this.bucket = bucket;
  }

  private call(): void {
    this.calls++;
    if (this.callsLeft-- <= 0) throw new Killed('at a call');
  }
  private of(key: string): Stored {
    const stored = this.objects.get(key);
    if (!stored)
      throw new HoldfastError('VaultObjectMissing', `${key} does not exist in bucket ${this.bucket}`);
    return stored;
  }
  private etag = (key: string): string => createHash('md5').update(this.of(key).body).digest('hex');
  private unavailable = (what: string, cause?: unknown): HoldfastError =>
    new HoldfastError('VaultUnavailable', `${what} in bucket ${this.bucket}`, { cause });
  private write(key: string, { body, ...facts }: Stored): void {
    this.objects.set(key, { body: Buffer.from(body), modified: this.clock, ...facts });
  }

  async get(key: string): Promise<Buffer> {
    this.call();
    const { body } = this.of(key);
    if (this.breaking.delete(key)) throw this.unavailable(`interrupted read of ${key}`);
    return Buffer.from(body);
  }
  async find(key: string): Promise<{ body: Buffer; etag: string } | undefined> {
    if (this.objects.has(key)) return { body: await this.get(key), etag: this.etag(key) };
    this.call();
    return undefined;
  }
  async stream(key: string): Promise<Readable> {
    this.call();
    const { body } = this.of(key);
    if (!this.breaking.delete(key)) return Readable.from([body], { objectMode: false });
    const failure = this.unavailable(`interrupted read of ${key}`);
    return Readable.from(brokenOff(body, failure), { objectMode: false });
  }
  async digest(key: string): Promise<ObjectDigest | undefined> {
    try {
      return await digestOf(await this.stream(key));
    } catch (error) {
      if ((error as Error).name === 'VaultObjectMissing') return undefined;
      throw error;
    }
  }
  async exists(key: string): Promise<boolean> {
    this.call();
    return this.objects.has(key);
  }
  async metadata(key: string): Promise<Record<string, string>> {
    this.call();
    return this.of(key).metadata;
  }
  async about(key: string): Promise<ObjectFacts> {
    this.call();
    const { metadata, sha256, byReplication = false, underWay = false } = this.of(key);
    return { metadata, byReplication, underWay, ...(sha256 && { sha256 }) };
  }
  async put(key: string, body: Buffer, { metadata = {}, sha256 }: PutOptions = {}): Promise<void> {
    this.call();
    const actual = sha256Of(body);
    if (sha256 !== undefined && sha256 !== actual) throw this.unavailable(`${key}: its sha256 is ${actual}`);
    this.write(key, { body, metadata, sha256: actual });
  }
  async putIf(key: string, body: Buffer, etag: string | undefined): Promise<boolean> {
    this.call();
    const present = this.objects.has(key) ? this.etag(key) : undefined;
    if (present !== etag) return false;
    this.write(key, { body, metadata: {} });
    return true;
  }
  async upload(key: string, stream: Readable, { metadata = {}, check }: UploadOptions = {}): Promise<string> {
    try {
      const body = await buffer(stream);
      const sha256 = sha256Of(body);
      check?.(sha256);
      this.call();
      this.write(key, { body, metadata, ...(check && { sha256 }) });
      return this.etag(key);
    } catch (error) {
      if (error instanceof HoldfastError || error instanceof Killed) throw error;
      throw this.unavailable(`${key}: ${messageOf(error)}`, error);
    }
  }
  async *list(prefix: string, after = ''): AsyncGenerator<InventoryObject> {
    this.call();
    const found = [...this.objects.keys()].filter((k) => k.startsWith(prefix) && compareKeys(k, after) > 0);
    for (const key of found.sort(compareKeys)) {
      const stored = this.objects.get(key);
      if (!stored) continue; // removed meanwhile
      yield {
        key,
        bytes: stored.body.length,
        etag: this.etag(key),
        modified: stored.modified ?? new Date(0),
      };
    }
  }
  async folders(prefix: string): Promise<string[]> {
    this.call();
    const below = [...this.objects.keys()].flatMap((key) => {
      const end = key.startsWith(prefix) ? key.indexOf('/', prefix.length) : -1;
      return end < 0 ? [] : [key.slice(0, end + 1)];
    });
    return [...new Set(below)].sort(compareKeys).map((folder) => folder.slice(prefix.length, -1));
  }
  async remove(keys: readonly string[]): Promise<void> {
    this.call();
    for (const key of keys) this.objects.delete(key);
  }
}

async function* brokenOff(body: Buffer, failure: Error): AsyncGenerator<Buffer> {
  yield body.subarray(0, body.length / 2);
  throw failure;
}
