import { createHash } from 'node:crypto';

/** The sha256 (hex) and length of a stream. Errors of the source are rethrown unchanged. */
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
