/** 32-bit words of a digest that are kept: 128 bits, with which even chosen names do not collide. */
const WORDS = 4;
/** A table is at most this full, so that a search takes few steps. */
const LOAD = 0.6;

/**
 * A set of SHA-256 digests without an object per member: 27 to 54 bytes each, outside of the heap. For names, of which
 * an export or an archive has millions.
 */
export class DigestSet {
  private table = new Uint32Array(16 * WORDS);
  private count = 0;

  /** Adds a digest of at least 16 bytes; false if it was in the set. */
  add(digest: Uint8Array): boolean {
    const words = new DataView(digest.buffer, digest.byteOffset, 4 * WORDS);
    // No word of a stored digest is 0 in its first place: 0 marks a free slot.
    const key = [
      words.getUint32(0) || 1,
      words.getUint32(4),
      words.getUint32(8),
      words.getUint32(12),
    ] as const;
    if (this.count >= LOAD * (this.table.length / WORDS)) this.grow();
    return this.put(key);
  }

  private put(key: readonly [number, number, number, number]): boolean {
    const { table } = this;
    let at = (key[0] * WORDS) % table.length;
    while (table[at] !== 0) {
      if (
        table[at] === key[0] &&
        table[at + 1] === key[1] &&
        table[at + 2] === key[2] &&
        table[at + 3] === key[3]
      )
        return false;
      at = (at + WORDS) % table.length;
    }
    table.set(key, at);
    this.count++;
    return true;
  }

  private grow(): void {
    const old = this.table;
    this.table = new Uint32Array(2 * old.length);
    this.count = 0;
    for (let at = 0; at < old.length; at += WORDS)
      if (old[at] !== 0)
        this.put([old[at] as number, old[at + 1] as number, old[at + 2] as number, old[at + 3] as number]);
  }
}
