import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import { type ArchivedName, isArchivePath, parsePreferredPath } from '../../core/backup/archive.ts';

/** An object as its bytes in the archive. */
export interface ArchivedObject {
  readonly at: ArchivedName;
  readonly raw: Buffer;
}

/** Limits of an archive. Valid archives are far below them; a malicious one must not exhaust memory or time. */
export const CAPS = {
  entries: 20_000_000,
  /** The default limit of etcd is 1.5 MiB per object. */
  entryBytes: 16 * 1024 * 1024,
  totalBytes: 256 * 1024 ** 3,
  /** Compression ratio of gzip. Real archives have 5 to 20; deflate can reach 1032. */
  ratio: 200,
} as const;
export type Caps = Readonly<Record<keyof typeof CAPS, number>>;

/** The ratio is checked from this size on: small archives of equal objects compress very well. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;

class NotAnArchive extends Error {}

/**
 * Reads an archive to its end and visits each object once. Nothing is unpacked to disk. Throws RecoveryPointDamaged if
 * the archive violates the format or has another digest than expected, so the caller must act only after this has
 * returned. Returns the archive's sha256. Errors of `visit` and of the source are rethrown unchanged.
 */
export async function readArchive(
  archive: Readable,
  sha256: string | undefined,
  visit: (entry: ArchivedObject) => void,
  caps: Caps = CAPS,
): Promise<string> {
  const hash = createHash('sha256');
  let compressed = 0;
  let plain = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      compressed += chunk.length;
      done(null, chunk);
    },
  });
  const gauge = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      plain += chunk.length;
      if (plain > caps.totalBytes) done(new NotAnArchive(`it has more than ${caps.totalBytes} bytes`));
      else if (plain > RATIO_FROM_BYTES && plain > caps.ratio * compressed)
        done(new NotAnArchive(`it is a decompression bomb: ${compressed} bytes expand to ${plain}`));
      else done(null, chunk);
    },
  });
  let sourceError: Error | undefined;
  let broken: Error | undefined;
  const gunzip = createGunzip();
  const tar = extract();
  archive.on('error', (error) => {
    sourceError = error;
    tar.destroy(error);
  });
  for (const stream of [tap, gunzip, gauge])
    stream.on('error', (error: Error) => {
      broken ??= error;
      tar.destroy(error);
    });
  archive.pipe(tap).pipe(gunzip).pipe(gauge).pipe(tar);
  try {
    await visitEntries(tar, visit, caps);
  } catch (thrown) {
    archive.destroy();
    if (sourceError) throw sourceError;
    if (thrown instanceof VisitError) throw thrown.cause;
    const cause = broken ?? thrown;
    throw damaged(`the archive cannot be read: ${messageOf(cause)}`, cause);
  }
  const actual = hash.digest('hex');
  if (sha256 !== undefined && actual !== sha256)
    throw damaged(`the archive has sha256 ${actual}, but its record has ${sha256}`);
  return actual;
}

class VisitError extends Error {}

async function visitEntries(
  tar: ReturnType<typeof extract>,
  visit: (entry: ArchivedObject) => void,
  caps: Caps,
): Promise<void> {
  const seen = new Set<string>();
  let entries = 0;
  for await (const entry of tar) {
    const { name, type, size } = entry.header;
    if (type !== 'file') throw new NotAnArchive(`entry ${name} is a ${type}, not a file`);
    if (!isArchivePath(name)) throw new NotAnArchive(`entry ${name} is not the path of an object`);
    if ((size ?? 0) > caps.entryBytes)
      throw new NotAnArchive(`entry ${name} has ${size} bytes, more than ${caps.entryBytes}`);
    if (++entries > caps.entries) throw new NotAnArchive(`it has more than ${caps.entries} entries`);
    const at = parsePreferredPath(name);
    if (!at) {
      entry.resume();
      continue;
    }
    if (seen.has(name)) throw new NotAnArchive(`entry ${name} occurs twice`);
    seen.add(name);
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    try {
      visit({ at, raw: Buffer.concat(chunks) });
    } catch (cause) {
      throw new VisitError('', { cause });
    }
  }
}

const damaged = (message: string, cause?: unknown): HoldfastError =>
  new HoldfastError('RecoveryPointDamaged', message, {
    cause,
    hint: 'Nothing was restored. Restore from the other copy: "from": "replica"',
  });

/** Parses an object's bytes as JSON. Throws RecoveryPointDamaged if they are not JSON. */
export function parseArchived<T>({ at, raw }: ArchivedObject, parse: (text: string) => unknown): T {
  try {
    return parse(raw.toString('utf8')) as T;
  } catch (cause) {
    throw damaged(
      `${at.groupResource} ${at.namespace ?? ''}/${at.name} is not JSON: ${messageOf(cause)}`,
      cause,
    );
  }
}
