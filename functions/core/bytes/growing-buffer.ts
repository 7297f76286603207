/** A buffer that is filled again and again: what passes through it leaves no garbage behind, so that memory stays flat. */
export class GrowingBuffer {
  private bytes: Buffer;
  private filled = 0;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.filled;
  }

  append(chunk: Uint8Array): void {
    const end = this.filled + chunk.length;
    if (end > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.bytes.length));
      larger.set(this.content());
      this.bytes = larger;
    }
    this.bytes.set(chunk, this.filled);
    this.filled = end;
  }

  /** What is in it now, without a copy: good until it is cleared and filled again. */
  content(): Buffer {
    return this.bytes.subarray(0, this.filled);
  }

  clear(): void {
    this.filled = 0;
  }
}
