import { listObjects } from '../adapters/kubernetes/lists.ts';
import type { KubeObject } from '../core/resources.ts';
import type { Source } from '../core/source.ts';
import { type Holder, holdsVolumes, mounts } from '../core/volumes.ts';
import { TYPES } from '../core/well-known.ts';
import type { KubeClient } from '../ports/kubernetes.ts';

/**
 * Which pod holds a claim, or a volume of its own, now, and where; undefined when none does: the Job of a claim may then run
 * wherever the volume can be.
 */
export async function holderOf(
  cluster: KubeClient,
  { namespace, pvc, podVolume }: Source,
): Promise<Holder | undefined> {
  const holds = (pod: KubeObject) =>
    podVolume ? pod.metadata.name === podVolume.pod : pvc !== undefined && mounts(pod, pvc);
  const pods = await listObjects(cluster, TYPES.pods, namespace);
  const holder = pods.find((p) => holdsVolumes(p) && p.spec?.nodeName && holds(p));
  return holder && { node: holder.spec?.nodeName as string, podUid: holder.metadata.uid as string };
}
