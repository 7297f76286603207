import { createHash } from 'node:crypto';

/** The sha256 (hex) and length of bytes as they come. What their source throws comes through as it is. */
export async function digestOf(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}
