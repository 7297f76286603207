import { gunzipSync, gzipSync } from 'node:zlib';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';

/** Bytes of names that are collected before they are compressed. */
const BLOCK_BYTES = 64 * 1024;

/**
 * The names of a kind, as members of a JSON array: `"ns/a","ns/b"`. They are held as gzip members, which can be
 * concatenated: a name takes a few bytes of memory, and nothing is compressed twice.
 */
export class NameList {
  private first = '';
  private readonly blocks: Buffer[] = [];
  private readonly block = new GrowingBuffer(256);

  add(name: string): void {
    const text = JSON.stringify(name);
    if (this.first === '') this.first = text;
    else this.append(text);
  }

  /** All names as gzip members. A shard stores them for the function that joins the shards. */
  members(): Buffer[] {
    this.compress();
    return [gzipSync(this.first), ...this.blocks];
  }

  /** Appends the members of another list. */
  join(members: readonly Buffer[]): void {
    const [first, ...rest] = members;
    if (!first) return;
    const text = gunzipSync(first).toString('utf8');
    if (this.first === '') this.first = text;
    else this.append(text);
    this.compress();
    this.blocks.push(...rest);
  }

  private append(text: string): void {
    this.block.append(Buffer.from(`,${text}`));
    if (this.block.length >= BLOCK_BYTES) this.compress();
  }

  private compress(): void {
    if (this.block.length === 0) return;
    this.blocks.push(gzipSync(this.block.content()));
    this.block.clear();
  }
}

/** Velero's resource list, `{"apps/v1/Deployment": ["ns/name"]}`, as gzipped JSON. */
export function resourceList(lists: ReadonlyMap<string, NameList>): Buffer {
  const members = [...lists].flatMap(([kind, names], i) => [
    gzipSync(`${i === 0 ? '' : ','}${JSON.stringify(kind)}:[`),
    ...names.members(),
    gzipSync(']'),
  ]);
  return Buffer.concat([gzipSync('{'), ...members, gzipSync('}')]);
}
