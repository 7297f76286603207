import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { ENTRY_MODE, entryPaths, VERSION_ENTRY } from '../../core/archive.ts';
import type { ResourceType } from '../../core/resources.ts';

/** Level 3 takes half the time of the default for a few percent more bytes. */
const GZIP_LEVEL = 3;

export interface ArchiveWriter {
  /** The tar.gz, to be uploaded while objects are added. */
  readonly output: Readable;
  add(type: ResourceType, name: string, namespace: string | undefined, json: Buffer): Promise<void>;
  /** Ends the archive; its size and digest are known when the output has been read. */
  end(): Promise<{ archiveBytes: number; sha256: string }>;
  /** Makes the reader of the output fail too. */
  abort(error: Error): void;
}

/** A Velero archive that is written while it is read: memory holds one object and the pipes between. */
export function archiveWriter(): ArchiveWriter {
  const tar = pack();
  const output = new PassThrough();
  const hash = createHash('sha256');
  let archiveBytes = 0;
  const gzip = createGzip({ level: GZIP_LEVEL });
  gzip.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    archiveBytes += chunk.length;
  });
  const ended = once(output, 'end');
  ended.catch(() => undefined); // told to whoever awaits end(); nobody does after abort()
  tar.pipe(gzip).pipe(output);

  async function entry(name: string, content: string | Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      tar.entry({ name, mode: ENTRY_MODE, type: 'file' }, content, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }
  const head = entry(VERSION_ENTRY.path, VERSION_ENTRY.content);
  head.catch(() => undefined); // told to whoever awaits it; after abort() perhaps nobody does
  return {
    output,
    async add(type, name, namespace, json) {
      await head;
      for (const path of entryPaths(type, name, namespace)) await entry(path, json);
    },
    async end() {
      await head;
      tar.finalize();
      await ended;
      return { archiveBytes, sha256: hash.digest('hex') };
    },
    abort(error) {
      output.destroy(error);
      tar.destroy();
    },
  };
}
