import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { type ArchivedName, parsePreferredPath } from '../../core/archive.ts';
import { HoldfastError, messageOf } from '../../core/errors.ts';
import type { KubeObject } from '../../core/resources.ts';

export interface ArchivedObject {
  readonly at: ArchivedName;
  readonly object: KubeObject;
}

const MAX_OBJECT_BYTES = 8 * 1024 * 1024;

/**
 * Reads an archive to its end and hands out each object once. Nothing is unpacked to disk: entries that are not
 * regular files, too large, or not JSON refuse the whole archive, as does a digest that is not the expected one.
 * The caller acts only after this has returned.
 */
export async function readArchive(
  archive: Readable,
  sha256: string,
  visit: (entry: ArchivedObject) => void,
): Promise<void> {
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const tar = extract();
  const reading = pipeline(archive, tap, createGunzip(), tar);
  reading.catch(() => undefined); // rethrown below, after the entries
  try {
    for await (const entry of tar) {
      const { name, type, size } = entry.header;
      if (type !== 'file') throw new Error(`entry ${name} is a ${type}, not a file`);
      if ((size ?? 0) > MAX_OBJECT_BYTES) throw new Error(`entry ${name} has ${size} bytes`);
      const at = parsePreferredPath(name);
      if (!at) {
        entry.resume();
        continue;
      }
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      visit({ at, object: JSON.parse(Buffer.concat(chunks).toString('utf8')) as KubeObject });
    }
    await reading;
  } catch (cause) {
    throw new HoldfastError('RecoveryPointDamaged', `the archive cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'Restore from the other copy: "from": "replica"',
    });
  }
  const actual = hash.digest('hex');
  if (actual !== sha256) {
    throw new HoldfastError(
      'RecoveryPointDamaged',
      `the archive's sha256 is ${actual}, its record says ${sha256}`,
      { hint: 'Restore from the other copy: "from": "replica"' },
    );
  }
}
