import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { ENTRY_MODE, entryPaths, VERSION_ENTRY } from '../../core/backup/archive.ts';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import { END_OF_TAR, fileHeader, paddingOf } from '../../core/bytes/tar.ts';
import type { ResourceType } from '../../core/kubernetes/resources.ts';

/** Level 3 takes half the time of the default for a few percent more bytes. */
const GZIP_LEVEL = 3;
/** Bytes per gzip call: enough to keep its thread busy, and few enough to bound memory. */
const BATCH_BYTES = 512 * 1024;

export interface ArchiveWriter {
  /** The tar.gz. It must be read while objects are added. */
  readonly output: Readable;
  /** Adds an object under both of its paths. `json`: one or more parts. Waits while the output is not read. */
  add(type: ResourceType, name: string, namespace: string | undefined, ...json: Buffer[]): Promise<void>;
  /** Ends the archive. Returns its size and digest after the output has been read. */
  end(): Promise<{ archiveBytes: number; sha256: string }>;
  /** Fails the output with this error. */
  abort(error: Error): void;
}

/** Which ends of a tar a writer writes. An archive may consist of several gzip members that are written separately. */
export interface ArchivePart {
  readonly first: boolean;
  readonly last: boolean;
}

/** Streams a Velero archive, or a part of one. Memory holds a batch and the pipe buffers. */
export function archiveWriter(part: ArchivePart = { first: true, last: true }): ArchiveWriter {
  const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 128 * 1024 });
  const output = new PassThrough({ highWaterMark: 1024 * 1024 });
  const hash = createHash('sha256');
  let archiveBytes = 0;
  gzip.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    archiveBytes += chunk.length;
  });
  gzip.pipe(output);
  gzip.on('error', (error) => output.destroy(error));
  const ended = once(output, 'end');
  ended.catch(() => undefined); // end() reports it; after abort() nothing awaits end()

  // One is filled while the other is compressed.
  let batch = new GrowingBuffer(2 * BATCH_BYTES);
  let other = new GrowingBuffer(2 * BATCH_BYTES);
  let flushing: Promise<void> | undefined;
  const entry = (path: string, content: readonly Buffer[]) => {
    const size = content.reduce((sum, c) => sum + c.length, 0);
    batch.append(fileHeader(path, size, ENTRY_MODE));
    for (const bytes of content) batch.append(bytes);
    batch.append(ZEROS.subarray(0, paddingOf(size)));
  };
  async function flush(): Promise<void> {
    [batch, other] = [other, batch];
    await new Promise<void>((done, fail) => {
      gzip.write(other.content(), (error) => (error ? fail(error) : done()));
    });
    other.clear();
  }
  if (part.first) entry(VERSION_ENTRY.path, [Buffer.from(VERSION_ENTRY.content)]);
  return {
    output,
    async add(type, name, namespace, ...json) {
      for (const path of entryPaths(type, name, namespace)) entry(path, json);
      while (batch.length >= BATCH_BYTES) {
        flushing ??= flush().finally(() => {
          flushing = undefined;
        });
        await flushing;
      }
    },
    async end() {
      await flushing;
      if (part.last) batch.append(END_OF_TAR);
      gzip.end(batch.content());
      await ended;
      return { archiveBytes, sha256: hash.digest('hex') };
    },
    abort(error) {
      gzip.destroy(error);
      output.destroy(error);
    },
  };
}

const ZEROS = Buffer.alloc(512);
