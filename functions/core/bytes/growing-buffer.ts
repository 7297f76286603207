/** A reusable buffer. It leaves no garbage, so that memory stays constant. */
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

  /** The content, without a copy. Valid until the buffer is cleared and filled again. */
  content(): Buffer {
    return this.bytes.subarray(0, this.filled);
  }

  clear(): void {
    this.filled = 0;
  }
}
