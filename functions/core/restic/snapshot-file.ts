import { zstdDecompressSync } from 'node:zlib';
import * as z from 'zod/mini';
import { ResticId } from './ids.ts';

/** What a snapshot says of itself. */
export interface SnapshotFacts {
  readonly id: ResticId;
  readonly time: Date;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags: readonly string[];
  /** Of all files in it. Absent: a restic before 0.17 wrote it. */
  readonly files?: number;
  readonly bytes?: number;
}

/** Go writes an empty list as null. */
const Strings = z.nullish(z.array(z.string()));
const count = z.int().check(z.nonnegative());

const Snapshot = z.object({
  time: z.iso.datetime({ offset: true }),
  tree: ResticId,
  hostname: z.optional(z.string()),
  paths: Strings,
  tags: Strings,
  summary: z.nullish(z.object({ total_files_processed: count, total_bytes_processed: count })),
});

/** Repository formats that this reader knows. */
const Config = z.object({ version: z.union([z.literal(1), z.literal(2)]), id: ResticId });

/** Largest decrypted document. A snapshot has about one kilobyte. */
const MAX_BYTES = 4 * 2 ** 20;

/** First byte of a document that is compressed. In format 1, and for `config`, it is the first one of the JSON. */
const ZSTD = 2;

/** Whether a decrypted `config` is that of a repository of a known format. */
export const isConfig = (text: Buffer): boolean => z.safeParse(Config, jsonOf(text)).success;

/** Parses a decrypted `snapshots/<id>`; undefined if it is no snapshot. */
export function parseSnapshotFile(id: ResticId, text: Buffer): SnapshotFacts | undefined {
  const { data } = z.safeParse(Snapshot, jsonOf(text));
  if (!data) return undefined;
  const { time, hostname = '', paths, tags, summary } = data;
  return {
    id,
    time: new Date(time),
    hostname,
    paths: paths ?? [],
    tags: tags ?? [],
    ...(summary && { files: summary.total_files_processed, bytes: summary.total_bytes_processed }),
  };
}

function jsonOf(text: Buffer): unknown {
  try {
    const plain =
      text[0] === ZSTD ? zstdDecompressSync(text.subarray(1), { maxOutputLength: MAX_BYTES }) : text;
    return JSON.parse(plain.toString('utf8'));
  } catch {
    return undefined;
  }
}
