/** A version of an object, as a listing names it. */
export interface Version {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

/** An inventory lists the object versions whose bytes were proven: one line per version, in S3 key order. */
export const inventoryLine = ({ key, bytes, etag }: Version): string => `${key}\t${bytes}\t${etag}\n`;

/** Parses a line without its newline; undefined if it is invalid. */
export function parseInventoryLine(line: string): Version | undefined {
  const m = /^([^\t]+)\t(\d+)\t([^\t]+)$/.exec(line);
  return m ? { key: m[1] as string, bytes: Number(m[2]), etag: m[3] as string } : undefined;
}

/**
 * The versions proven by earlier runs, merged with a listing in the same order, one entry in memory at a time. An entry stays
 * valid permanently, because another ETag is another version. It is dropped when its version no longer exists.
 */
export class ProvenBefore {
  /** Number of entries whose version no longer exists. */
  dropped = 0;
  private readonly entries: AsyncIterator<Version>;
  private next: Version | undefined;
  private started = false;

  constructor(entries: AsyncIterable<Version>) {
    this.entries = entries[Symbol.asyncIterator]();
  }

  private async advance(): Promise<void> {
    const step = await this.entries.next();
    this.next = step.done ? undefined : step.value;
  }

  /** Whether the current version of a key was proven. Must be called for every key, in key order. */
  async has(key: string, version: Version | undefined): Promise<boolean> {
    if (!this.started) await this.advance();
    this.started = true;
    while (this.next && this.next.key < key) {
      this.dropped++;
      await this.advance();
    }
    if (this.next?.key !== key) return false;
    const same = this.next.etag === version?.etag && this.next.bytes === version.bytes;
    if (!same) this.dropped++;
    await this.advance();
    return same;
  }

  /** Entries after the last key passed to `has`. */
  async *rest(): AsyncGenerator<Version> {
    if (!this.started) await this.advance();
    this.started = true;
    for (; this.next; await this.advance()) yield this.next;
  }
}
