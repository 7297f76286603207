import { ApplyRequest, type ApplyState } from '../../contract/states.ts';
import { itemKey } from '../../core/restore/restore-plan.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { archivedObjects } from '../archived-objects.ts';
import {
  findApplied,
  getItems,
  getRestore,
  type ItemResult,
  keyOfApplied,
  putApplied,
} from '../documents.ts';
import { applyItems } from './apply.ts';

/** Left of the function's time to write down what is done. */
const RESERVE_MS = 30_000;

/** Brings the objects of one stage into the cluster in order; called again while its time was too short for all. */
export const handler = lambda(
  'apply-resources',
  ApplyRequest,
  async ({ restore, backup, stage }, { now, remainingMs }): Promise<ApplyState> => {
    const vault = primaryVault();
    const k = keys();
    const plan = await getRestore(vault, k, restore);
    const before = await findApplied(vault, k, restore, stage);
    const done = new Set(before.map(keyOfApplied));
    const items = (await getItems(vault, k, restore)).filter((i) => i.stage === stage);
    const bodies = await archivedObjects(
      plan,
      items.filter((i) => i.action === 'create' && !done.has(itemKey(i))),
    );
    return withCluster('restore', now, async (cluster) => {
      const { options } = plan;
      const goOn = () => remainingMs() > RESERVE_MS;
      const applied = await applyItems(cluster, items, bodies, { backup, restore, options, before, goOn });
      await putApplied(vault, k, restore, stage, applied);
      const count = (result: ItemResult) => applied.filter((a) => a.result === result).length;
      return {
        created: count('created'),
        updated: count('updated'),
        unchanged: count('unchanged'),
        skipped: count('skipped'),
        held: count('held'),
        failed: count('failed'),
        remaining: items.length - applied.length,
      };
    });
  },
);
