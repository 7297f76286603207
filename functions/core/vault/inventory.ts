/** A version of an object, as a listing names it. */
export interface Version {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
}

/** An inventory says of versions of objects that their bytes were what they should be: a line each, in the order of S3. */
export const inventoryLine = ({ key, bytes, etag }: Version): string => `${key}\t${bytes}\t${etag}\n`;

/** Reads a line without its end; undefined when it is none. */
export function parseInventoryLine(line: string): Version | undefined {
  const m = /^([^\t]+)\t(\d+)\t([^\t]+)$/.exec(line);
  return m ? { key: m[1] as string, bytes: Number(m[2]), etag: m[3] as string } : undefined;
}

/**
 * What was proven before, gone through beside a listing of the same order: an entry in memory at a time. What an entry says
 * stays true for ever, because another ETag is another version; it is left out when nobody asks for that version any more.
 */
export class ProvenBefore {
  /** Entries whose version was not found again. */
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

  /** Whether the version that is there under a key was proven. Every key must be asked for, in their order. */
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

  /** Entries beyond the last key that was asked for. */
  async *rest(): AsyncGenerator<Version> {
    if (!this.started) await this.advance();
    this.started = true;
    for (; this.next; await this.advance()) yield this.next;
  }
}
