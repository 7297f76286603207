import { createHash, hash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import {
  type ArchivedName,
  FORMAT_VERSION,
  isArchivePath,
  MAX_ENTRY_BYTES,
  MAX_PATH_BYTES,
  parsePlainPath,
  parsePreferredPath,
  VERSION_ENTRY,
} from '../../core/backup/archive.ts';
import { DigestSet } from '../../core/bytes/digest-set.ts';

/** An object as its bytes in the archive. */
export interface ArchivedObject {
  readonly at: ArchivedName;
  readonly raw: Buffer;
}

/**
 * Limits of an archive of unknown origin. Valid archives are far below them; a malicious one must not exhaust memory or
 * time.
 */
export const CAPS = {
  entries: 20_000_000,
  entryBytes: MAX_ENTRY_BYTES,
  totalBytes: 256 * 1024 ** 3,
  /** Compression ratio of gzip. Real archives have 5 to 20; deflate can reach 1032. */
  ratio: 200,
} as const;
export type Caps = Readonly<Record<keyof typeof CAPS, number>>;

/** How many objects an archive holds, and the bytes of them, as its signed record says. Absent: there is none. */
export interface ArchiveSize {
  readonly items?: number | undefined;
  readonly bytes?: number | undefined;
}

/** Bytes of an entry beside its content: two headers of 512 bytes, the record of a long path, and padding. */
const FRAME_BYTES = 4 * 512 + MAX_PATH_BYTES + 512;

/**
 * Limits of an archive whose signed record says how many objects it holds, and how many bytes they have: exactly these,
 * each object twice. It may compress as well as it does. Without a record the limits are CAPS.
 */
export function capsFor({ items, bytes }: ArchiveSize = {}): Caps {
  if (items === undefined || bytes === undefined) return CAPS;
  const entries = 2 * items + 1;
  return {
    entries,
    entryBytes: MAX_ENTRY_BYTES,
    totalBytes: 2 * bytes + (entries + 1) * FRAME_BYTES,
    ratio: Number.POSITIVE_INFINITY,
  };
}

/** The ratio is checked from this size on: small archives of equal objects compress very well. */
const RATIO_FROM_BYTES = 64 * 1024 * 1024;

class NotAnArchive extends Error {}

/**
 * Reads an archive to its end and visits each object once: where it is at its preferred version or, in an archive of
 * Velero's format 1, at its only place. Nothing is unpacked to disk. Throws RecoveryPointDamaged if
 * the archive violates the format or has another digest than expected, so the caller must act only after this has
 * returned. Returns the archive's sha256. Errors of `visit` and of the source are rethrown unchanged.
 */
export async function readArchive(
  archive: Readable,
  sha256: string | undefined,
  visit: (entry: ArchivedObject) => void,
  caps: Caps = CAPS,
): Promise<string> {
  const digest = createHash('sha256');
  let compressed = 0;
  let plain = 0;
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
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
  const actual = digest.digest('hex');
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
  const seen = new DigestSet();
  let entries = 0;
  let visited = 0;
  let passed = 0;
  /** Undefined until the first entry: a version stands first, and only format 1 has objects before or without one. */
  let format: string | undefined;
  for await (const entry of tar) {
    const { name, type, size } = entry.header;
    if (type !== 'file') throw new NotAnArchive(`entry ${name} is a ${type}, not a file`);
    if (!isArchivePath(name)) throw new NotAnArchive(`entry ${name} is not the path of an object`);
    if ((size ?? 0) > caps.entryBytes)
      throw new NotAnArchive(`entry ${name} has ${size} bytes, more than ${caps.entryBytes}`);
    if (++entries > caps.entries) throw new NotAnArchive(`it has more than ${caps.entries} entries`);
    if (name === VERSION_ENTRY.path && format === undefined) {
      format = (await contentOf(entry)).toString('utf8', 0, 16).trim();
      continue;
    }
    const plain = parsePlainPath(name);
    if (plain) passed++;
    const preferred = parsePreferredPath(name);
    format ??= preferred ? FORMAT_VERSION : OLD_FORMAT;
    const at = format === OLD_FORMAT ? plain : preferred;
    if (!at) {
      entry.resume();
      continue;
    }
    if (!seen.add(hash('sha256', name, 'buffer'))) throw new NotAnArchive(`entry ${name} occurs twice`);
    visited++;
    const raw = await contentOf(entry);
    try {
      visit({ at: preferred ?? { ...at, version: versionIn(name, raw) }, raw });
    } catch (cause) {
      throw cause instanceof NotAnArchive ? cause : new VisitError('', { cause });
    }
  }
  if (passed > visited)
    throw new NotAnArchive(`${passed - visited} of its objects are not stored at a preferred version`);
}

/** The format of Velero before 1.4: each object once, without a folder that says its version. */
const OLD_FORMAT = '1';

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The version that an object of format 1 says itself. */
function versionIn(path: string, raw: Buffer): string {
  try {
    const { apiVersion } = JSON.parse(raw.toString('utf8')) as { apiVersion?: unknown };
    const version = typeof apiVersion === 'string' ? apiVersion.split('/').at(-1) : undefined;
    if (version) return version;
  } catch {
    // The same reason as an object without a version: nobody can say what it is.
  }
  throw new NotAnArchive(`entry ${path} has no apiVersion`);
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
