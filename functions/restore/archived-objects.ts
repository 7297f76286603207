import { capsFor, readArchive } from '../adapters/archive/reader.ts';
import { itemKey, type PlanItem } from '../core/restore/restore-plan.ts';
import type { StoredRestore } from './documents.ts';
import type { RestoreSource } from './source.ts';

/** Bytes of items of a recovery point, by item key. The archive must still be the one that the plan was made from. */
export async function archivedObjects(
  source: RestoreSource,
  plan: Pick<StoredRestore, 'backup' | 'archiveSha256' | 'archiveSize'>,
  items: readonly PlanItem[],
): Promise<Map<string, Buffer>> {
  const wanted = new Set(items.map(itemKey));
  const found = new Map<string, Buffer>();
  if (wanted.size === 0) return found;
  await readArchive(
    await source.vault.stream(source.archive(plan.backup)),
    plan.archiveSha256,
    ({ at, raw }) => {
      if (wanted.has(itemKey(at))) found.set(itemKey(at), raw);
    },
    capsFor(plan.archiveSize),
  );
  return found;
}
