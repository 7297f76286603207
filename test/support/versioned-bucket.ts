import { HoldfastError } from '../../functions/contract/holdfast-error.ts';
import { compareKeys } from '../../functions/core/vault/key-order.ts';
import type { ObjectVersion } from '../../functions/core/vault/rewind.ts';
import type { KeptVersions } from '../../functions/core/vault/rewind-reach.ts';
import type { OneKey, VersionedBucket } from '../../functions/ports/versioned-bucket.ts';

/** A version of the model, with what S3 would give to a reader. */
interface Stored extends ObjectVersion {
  readonly content: string;
}

/** A versioned bucket in memory, whose clock is set by the test. Nothing can be removed from it. */
export class MemoryVersions implements VersionedBucket {
  readonly bucket = 'memory';
  /** The newest last. */
  readonly stored = new Map<string, Stored[]>();
  /** Seconds. */
  clock = 0;
  /** Calls that may still succeed; the next one ends the caller. */
  callsLeft = Number.POSITIVE_INFINITY;
  /** Keys in the order in which they were changed. */
  readonly log: string[] = [];
  private ids = 0;
  /** What its lifecycle says. */
  days: number | undefined;

  async kept(): Promise<KeptVersions> {
    return { versioned: true, ...(this.days !== undefined && { days: this.days }) };
  }

  private add(key: string, content: string | undefined, copyOf?: string): void {
    if (this.callsLeft-- <= 0) throw new Error('stopped');
    const at = new Date(this.clock * 1000);
    const about = { key, id: `v${++this.ids}`, at, deleted: content === undefined };
    const version = { ...about, bytes: content?.length ?? 0, content: content ?? '' };
    this.stored.set(key, [...(this.stored.get(key) ?? []), { ...version, ...(copyOf && { copyOf }) }]);
    this.log.push(key);
  }
  put(key: string, content: string): void {
    this.add(key, content);
  }
  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.add(key, undefined);
  }

  async *versions(prefix: string): AsyncGenerator<OneKey> {
    const inOrder = [...this.stored].sort(([a], [b]) => compareKeys(a, b));
    for (const [key, versions] of inOrder)
      if (key.startsWith(prefix)) {
        // As in a listing of S3: what a version is a copy of is not in it.
        const listed = versions.map(({ id, at, deleted, bytes }) => ({ key, id, at, deleted, bytes }));
        yield listed.reverse() as [ObjectVersion];
      }
  }
  async withOrigin(version: ObjectVersion): Promise<ObjectVersion> {
    const { copyOf } = this.of(version);
    return copyOf === undefined ? version : { ...version, copyOf };
  }
  async bringBack(version: ObjectVersion): Promise<void> {
    this.add(version.key, this.of(version).content, version.id);
  }
  private of({ key, id }: ObjectVersion): Stored {
    const version = this.stored.get(key)?.find((v) => v.id === id);
    if (!version || version.deleted)
      throw new HoldfastError('VaultUnavailable', `${key} has no version ${id} to be read`);
    return version;
  }

  /** What a reader sees at an instant: the content under each key. */
  view(seconds = Number.POSITIVE_INFINITY): Record<string, string> {
    const seen = [...this.stored].flatMap(([key, versions]): [string, string][] => {
      const last = versions.findLast((v) => v.at.getTime() <= seconds * 1000);
      return last && !last.deleted ? [[key, last.content]] : [];
    });
    return Object.fromEntries(seen.sort());
  }
}
