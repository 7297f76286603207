import { capsFor, readArchive } from '../adapters/archive/reader.ts';
import { itemKey, type PlanItem } from '../core/restore/restore-plan.ts';
import type { StoredRestore } from './documents.ts';
import type { RestoreSource } from './source.ts';

/** Objects are kept in blocks of this size: a buffer of its own for each would take more memory than most objects have. */
const BLOCK_BYTES = 1024 * 1024;

/** Bytes of items of a recovery point, by item key. The archive must still be the one that the plan was made from. */
export async function archivedObjects(
  source: RestoreSource,
  plan: Pick<StoredRestore, 'backup' | 'archiveSha256' | 'archiveSize'>,
  items: readonly PlanItem[],
): Promise<Map<string, Buffer>> {
  const wanted = new Set(items.map(itemKey));
  const found = new Map<string, Buffer>();
  if (wanted.size === 0) return found;
  const keep = keeper();
  await readArchive(
    await source.vault.stream(source.archive(plan.backup)),
    plan.archiveSha256,
    ({ at, raw }) => {
      if (wanted.has(itemKey(at))) found.set(itemKey(at), keep(raw));
    },
    capsFor(plan.archiveSize),
  );
  return found;
}

/**
 * Copies bytes into blocks. The reader's own buffers share memory with those of objects that are not wanted, and would hold
 * much of the archive for a few of its objects.
 */
function keeper(): (raw: Buffer) => Buffer {
  let block = Buffer.alloc(0);
  let filled = 0;
  return (raw) => {
    if (filled + raw.length > block.length) {
      block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, raw.length));
      filled = 0;
    }
    const kept = block.subarray(filled, filled + raw.length);
    kept.set(raw);
    filled += raw.length;
    return kept;
  };
}
