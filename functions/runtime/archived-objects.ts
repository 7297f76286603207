import { readArchive } from '../adapters/archive/reader.ts';
import { getJson } from '../adapters/s3/documents.ts';
import { HoldfastError } from '../core/errors.ts';
import { BackupRecord } from '../core/record.ts';
import type { KubeObject } from '../core/resources.ts';
import { itemKey, type PlanItem } from '../core/restore-plan.ts';
import { keys, primaryVault, replicaVault } from './connect.ts';

/** Bodies of some items of a recovery point, by item key. The archive is verified again on the way. */
export async function archivedObjects(
  from: 'primary' | 'replica',
  backup: string,
  items: readonly PlanItem[],
): Promise<Map<string, KubeObject>> {
  const vault = from === 'primary' ? primaryVault() : replicaVault();
  const record = await getJson(vault, BackupRecord, keys().records.record(backup));
  if (!record.resources)
    throw new HoldfastError('RecoveryPointNotFound', `recovery point ${backup} holds no resources`);
  const wanted = new Set(items.map(itemKey));
  const found = new Map<string, KubeObject>();
  await readArchive(
    await vault.stream(keys().velero.archive(backup)),
    record.resources.sha256,
    ({ at, object }) => {
      if (wanted.has(itemKey(at))) found.set(itemKey(at), object);
    },
  );
  return found;
}
