import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { listObjects } from '../adapters/kubernetes/lists.ts';
import type { PlanSettings } from '../contract/settings.ts';
import { objectPath } from '../core/resources.ts';
import { selectVolumes, type VolumeSelection } from '../core/volumes.ts';
import { TYPES } from '../core/well-known.ts';

/** What a plan finds in the cluster: its volumes, and what is missing before the backup has begun. */
export async function lookAtCluster(cluster: KubeClient, plan: PlanSettings): Promise<VolumeSelection> {
  const problems: string[] = [];
  for (const namespace of plan.namespaces) {
    const { status } = await cluster.call('GET', objectPath(TYPES.namespaces, namespace), { accept: [404] });
    if (status === 404) problems.push(`namespace ${namespace} does not exist`);
  }
  const of = async (type: (typeof TYPES)['pods']) =>
    (await Promise.all(plan.namespaces.map((n) => listObjects(cluster, type, n)))).flat();
  const [pods, claims, volumes] = await Promise.all([
    of(TYPES.pods),
    of(TYPES.persistentVolumeClaims),
    listObjects(cluster, TYPES.persistentVolumes),
  ]);
  const selection = selectVolumes(plan.volumes === 'none' ? [] : pods, claims, volumes);
  return { ...selection, problems: [...problems, ...selection.problems] };
}
