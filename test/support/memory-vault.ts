import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { HoldfastError } from '../../functions/core/errors.ts';
import type { ObjectFacts, Vault } from '../../functions/ports/vault.ts';

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

/** A vault in memory, in place of a bucket where a test must end a function at each of its calls. */
export class MemoryVault implements Vault {
  readonly bucket: string;
  readonly region = 'nowhere';
  readonly objects = new Map<string, Stored>();
  /** Calls that may still succeed; the next one ends the caller. */
  callsLeft = Number.POSITIVE_INFINITY;
  calls = 0;

  constructor(bucket: string) {
    this.bucket = bucket;
  }

  private call(): void {
    this.calls++;
    if (this.callsLeft-- <= 0) throw new Killed('at a call');
  }
  private of(key: string): Stored {
    const stored = this.objects.get(key);
    if (!stored) throw new HoldfastError('VaultObjectMissing', `${key}: not in bucket ${this.bucket}`);
    return stored;
  }
  private etag = (key: string): string => createHash('md5').update(this.of(key).body).digest('hex');

  async get(key: string): Promise<Buffer> {
    this.call();
    return this.of(key).body;
  }
  async find(key: string): Promise<{ body: Buffer; etag: string } | undefined> {
    this.call();
    return this.objects.has(key) ? { body: this.of(key).body, etag: this.etag(key) } : undefined;
  }
  async stream(key: string): Promise<Readable> {
    this.call();
    return Readable.from([this.of(key).body]);
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
  async put(key: string, body: Buffer, { metadata = {} }: { metadata?: Record<string, string> } = {}) {
    this.call();
    this.objects.set(key, { body, metadata });
  }
  async putIf(key: string, body: Buffer, etag: string | undefined): Promise<boolean> {
    this.call();
    const present = this.objects.has(key) ? this.etag(key) : undefined;
    if (present !== etag) return false;
    this.objects.set(key, { body, metadata: {} });
    return true;
  }
  async upload(
    key: string,
    stream: Readable,
    { metadata = {}, check }: { metadata?: Record<string, string>; check?: (sha256: string) => void } = {},
  ): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    check?.(createHash('sha256').update(body).digest('hex'));
    this.call();
    this.objects.set(key, { body, metadata });
    return this.etag(key);
  }
  async *list(prefix: string, after = '') {
    this.call();
    for (const key of [...this.objects.keys()].filter((k) => k.startsWith(prefix) && k > after).sort()) {
      const { body, modified = new Date(0) } = this.of(key);
      yield { key, bytes: body.length, etag: this.etag(key), modified };
    }
  }
  async folders(prefix: string): Promise<string[]> {
    this.call();
    const below = [...this.objects.keys()].filter((k) => k.startsWith(prefix));
    return [
      ...new Set(
        below.flatMap((k) =>
          k.slice(prefix.length).includes('/') ? [k.slice(prefix.length).split('/')[0] as string] : [],
        ),
      ),
    ].sort();
  }
  async remove(keys: readonly string[]): Promise<void> {
    this.call();
    for (const key of keys) this.objects.delete(key);
  }
}
