import { listObjects } from '../../adapters/kubernetes/lists.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { dumpsOf } from '../../core/volumes/dumps.ts';
import type { StrategyPorts } from '../../core/volumes/strategy.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { holderOf } from '../../runtime/jobs/holder.ts';

/** Finds where data is in the cluster now. */
export const locationsIn = (cluster: KubeClient): StrategyPorts['locations'] => ({
  holder: (v) => holderOf(cluster, v),
  async dump({ id, namespace }) {
    const { dumps } = dumpsOf(await listObjects(cluster, TYPES.pods, namespace));
    return dumps.find((d) => d.work.id === id);
  },
});
