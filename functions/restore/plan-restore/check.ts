import { discoverServed } from '../../adapters/kubernetes/discovery.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import { collectionPath, type KubeObject } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { type Asked, type ClusterTypes, refusals, withoutFixedTypes } from '../../core/restore/refusals.ts';
import type { PlanItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/**
 * The items of a plan for this cluster, without types that it lets nobody create. Only reads.
 *
 * @throws HoldfastError RestoreRefused with every problem of the options; the errors of KubeClient.
 */
export async function checkedItems(cluster: KubeClient, asked: Asked): Promise<PlanItem[]> {
  const types = await typesOf(cluster, asked.options);
  const items = withoutFixedTypes(asked.items, types.served);
  const [first, ...others] = refusals({ ...asked, items }, types);
  if (first === undefined) return items;
  throw new HoldfastError('RestoreRefused', [first, ...others].join('; '), { hint: 'Nothing was written' });
}

async function typesOf(cluster: KubeClient, options: RestoreOptions): Promise<ClusterTypes> {
  const { served, unreadable } = await discoverServed(cluster);
  if (!options.storageClassMapping) return { served, unreadable, storageClasses: [] };
  const { body } = await cluster.call('GET', collectionPath(TYPES.storageClasses));
  const { items } = JSON.parse(body.toString('utf8')) as { items: KubeObject[] };
  return { served, unreadable, storageClasses: items.map((i) => i.metadata.name) };
}
