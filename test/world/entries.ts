import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';

/** Every entry of a tar.gz by its path, read by a library that Holdfast does not write with. */
export async function entriesOf(archive: Readable): Promise<Map<string, string>> {
  const tar = extract();
  archive.pipe(createGunzip()).pipe(tar);
  const entries = new Map<string, string>();
  for await (const entry of tar) entries.set(entry.header.name, await text(entry));
  return entries;
}
