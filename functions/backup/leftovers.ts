import { parseBackupName } from '../core/backup/backup-name.ts';
import { backupOfRun } from '../core/backup/control-plane.ts';
import type { VaultKeys } from '../core/vault/vault-keys.ts';
import { type MadeContext, madeObjects, removeAll } from '../runtime/jobs/made-objects.ts';

/**
 * Removes what earlier backups of a plan left in the cluster because their executions were stopped. None of them is running:
 * this backup has the plan's lease.
 */
export async function removeLeftovers(
  context: MadeContext,
  keys: VaultKeys,
  { plan, backup }: { readonly plan: string; readonly backup: string },
): Promise<void> {
  for (const run of await context.vault.folders(keys.runs.root)) {
    const of = backupOfRun(run);
    if (of === backup || parseBackupName(of)?.plan !== plan) continue;
    await removeAll(madeObjects(context, keys.runs.dir(run)));
  }
}
