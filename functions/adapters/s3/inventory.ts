import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { inventoryLine, parseInventoryLine, type Version } from '../../core/vault/inventory.ts';
import type { Vault } from '../../ports/vault.ts';

/** Lines are passed on in chunks of about this many characters; single lines would be slow. */
const CHUNK = 64 * 1024;

/** Reads an inventory; empty if it does not exist. Ends at the first unreadable entry: the rest must be proven again. */
export async function* readInventory(vault: Vault, key: string): AsyncGenerator<Version> {
  let last = '';
  for await (const line of linesOf(vault, key)) {
    const entry = parseInventoryLine(line);
    if (!entry || entry.key <= last) return;
    last = entry.key;
    yield entry;
  }
}

async function* linesOf(vault: Vault, key: string): AsyncGenerator<string> {
  const text = createGunzip().setEncoding('utf8');
  let begun = '';
  try {
    pipeline(await vault.stream(key), text, () => undefined); // an error comes out of `text` as well
    for await (const chunk of text) {
      const lines = (begun + chunk).split('\n');
      begun = lines.pop() as string;
      yield* lines;
    }
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException;
    if (name !== 'VaultObjectMissing' && !code?.startsWith('Z_')) throw error;
  }
}

class Unchanged extends Error {}

/** Streams entries into an inventory. Writes nothing if `changed` returns false at the end. */
export async function writeInventory(
  vault: Vault,
  key: string,
  entries: AsyncIterable<Version>,
  changed: () => boolean,
): Promise<void> {
  const body = createGzip({ level: 1 });
  pipeline(Readable.from(chunksOf(entries), { highWaterMark: 1 }), body, () => undefined);
  const check = () => {
    if (!changed()) throw new Unchanged();
  };
  try {
    await vault.upload(key, body, { check });
  } catch (error) {
    if (!isUnchanged(error)) throw error;
  } finally {
    body.destroy();
  }
}

async function* chunksOf(entries: AsyncIterable<Version>): AsyncGenerator<string> {
  let chunk = '';
  for await (const entry of entries) {
    chunk += inventoryLine(entry);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk) yield chunk;
}

/** The vault may have wrapped the error. */
const isUnchanged = (error: unknown): boolean =>
  error instanceof Unchanged || (error as Error).cause instanceof Unchanged;
