import { listObjects } from '../../adapters/kubernetes/lists.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { Source } from '../../core/restic/source.ts';
import type { Holder } from '../../core/volumes/strategy.ts';
import { holdsVolumes, mounts } from '../../core/volumes/volumes.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/**
 * The running pod that uses a claim or a pod volume, and its node; undefined if there is none. The Job of a claim may then
 * run on any node that the volume can be attached to.
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
