import { ApplyRequest } from '../contract/states.ts';
import { archivedObjects } from '../runtime/archived-objects.ts';
import { connectCluster, keys, primaryVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { getItems, getRestore, putApplied } from '../runtime/restore-documents.ts';
import { applyItems } from './apply.ts';

/** Creates the objects of one stage in order, and writes how each of them ended. */
export const handler = lambda(
  'apply-resources',
  ApplyRequest,
  async ({ restore, backup, stage }, { now }) => {
    const vault = primaryVault();
    const k = keys();
    const plan = await getRestore(vault, k, restore);
    const items = (await getItems(vault, k, restore)).filter((i) => i.stage === stage);
    const bodies = await archivedObjects(
      plan.from,
      backup,
      items.filter((i) => i.action === 'create'),
    );
    const cluster = await connectCluster('restore', now);
    try {
      const applied = await applyItems(cluster, items, bodies, {
        backup,
        restore,
        existing: plan.existingResources,
      });
      await putApplied(vault, k, restore, stage, applied);
      const count = (result: string) => applied.filter((a) => a.result === result).length;
      return { created: count('created'), skipped: count('skipped'), failed: count('failed') };
    } finally {
      await cluster.close();
    }
  },
);
