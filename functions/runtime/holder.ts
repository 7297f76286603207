import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { listObjects } from '../adapters/kubernetes/lists.ts';
import { type Holder, holdsVolumes, mounts } from '../core/volumes.ts';
import { TYPES } from '../core/well-known.ts';

/** Which pod holds a claim now, and where; undefined when none does: then its Job may run wherever the volume can be. */
export async function holderOf(
  cluster: KubeClient,
  v: { readonly namespace: string; readonly pvc: string },
): Promise<Holder | undefined> {
  const pods = await listObjects(cluster, TYPES.pods, v.namespace);
  const holder = pods.find((p) => holdsVolumes(p) && p.spec?.nodeName && mounts(p, v.pvc));
  return holder && { node: holder.spec?.nodeName as string, podUid: holder.metadata.uid as string };
}
