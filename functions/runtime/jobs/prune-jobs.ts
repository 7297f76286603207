import { isPruneRun } from '../../core/backup/backup-name.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { type MadeContext, madeObjects, mayRun, removeAll } from './made-objects.ts';

/** Prune runs with Jobs in the cluster, except the one that is running. Their executions were stopped. */
export async function stoppedPrunes(
  { vault }: Pick<MadeContext, 'vault'>,
  keys: VaultKeys,
  running?: string,
): Promise<string[]> {
  return (await vault.folders(keys.runs.root)).filter((run) => isPruneRun(run) && run !== running);
}

/**
 * Ends the Jobs of prune runs that were stopped: their Jobs go on without them, and remove packs. Returns how many have not
 * ended yet.
 */
export async function endStoppedPrunes(
  context: MadeContext,
  keys: VaultKeys,
  running?: string,
): Promise<number> {
  let left = 0;
  for (const run of await stoppedPrunes(context, keys, running))
    left += await removeAll(madeObjects(context, keys.runs.dir(run)), 'dependents');
  return left;
}

/** Whether Jobs of prune runs that were stopped may still run, for functions that have no access to the cluster. */
export async function stoppedPrunesMayRun(
  context: Pick<MadeContext, 'vault' | 'now'>,
  keys: VaultKeys,
  deadlineSeconds: number,
): Promise<boolean> {
  for (const run of await stoppedPrunes(context, keys))
    if (await mayRun(context, keys.runs.dir(run), deadlineSeconds)) return true;
  return false;
}
