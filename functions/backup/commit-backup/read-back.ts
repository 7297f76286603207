import type { Readable } from 'node:stream';
import { capsFor, readArchive } from '../../adapters/archive/reader.ts';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { ResourceResult } from '../../core/backup/record.ts';

/**
 * Reads an archive by the rules of a restore, and compares it with what the export wrote. The archive streams through
 * memory.
 *
 * @throws HoldfastError RecoveryPointDamaged when a restore would refuse it, or when an object is missing; errors of the
 * vault.
 */
export async function readBack(archive: Readable, resources: ResourceResult): Promise<void> {
  const { items, sha256 } = resources;
  let objects = 0;
  try {
    await readArchive(archive, sha256, () => objects++, capsFor(resources));
  } catch (cause) {
    if (!(cause instanceof HoldfastError) || cause.name !== 'RecoveryPointDamaged') throw cause;
    throw unusable(messageOf(cause.cause ?? cause), cause);
  }
  if (objects !== items) throw unusable(`it holds ${objects} objects, the export wrote ${items}`);
}

const unusable = (why: string, cause?: unknown): HoldfastError =>
  new HoldfastError('RecoveryPointDamaged', `the archive of this backup cannot be restored: ${why}`, {
    cause,
    hint: 'Start the backup again',
  });
