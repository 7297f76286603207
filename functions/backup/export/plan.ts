import pMap from 'p-map';
import * as z from 'zod/mini';
import { discover } from '../../adapters/kubernetes/discovery.ts';
import { countObjects, currentResourceVersion } from '../../adapters/kubernetes/lists.ts';
import type { Work } from '../../core/backup/record.ts';
import { extentOf, mayTakeOf, namingNothing } from '../../core/backup/selection.ts';
import { type ExportUnit, shardsOf } from '../../core/backup/shards.ts';
import { groupResource, type ResourceType } from '../../core/kubernetes/resources.ts';
import { ResourceTypeShape } from '../../core/kubernetes/well-known.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** Parallel count requests. Kept low to limit the load on the API server. */
const CONCURRENCY = 8;
/** A type with fewer than 1/FEW of a shard's items is not counted per namespace. */
const FEW = 100;

const Unit = z.object({ type: ResourceTypeShape, namespace: z.optional(z.string()) });

/** What one export reads. It is stored once, so that all shards and retries read the same. */
export const ExportPlan = z.object({
  /** The point in time of the export. */
  resourceVersion: z.string(),
  shards: z.array(z.array(Unit)),
  /** Cluster-scoped types of which only objects related to the backup are exported. */
  related: z.array(ResourceTypeShape),
  /** API groups that discovery could not read. */
  unreadable: z.array(z.string()),
  /** `plural.group` of types whose objects nobody can create. Absent in plans of version 0.1.0. */
  readOnly: z._default(z.array(z.string()), []),
  /** What the plan asks for and the cluster does not have. */
  problems: z._default(z.array(z.string()), []),
});
export type ExportPlan = z.infer<typeof ExportPlan>;

/** Discovers what to export, and splits it into shards of about `shardItems` objects. */
export async function planExport(cluster: KubeClient, work: Work, shardItems: number): Promise<ExportPlan> {
  const resourceVersion = await currentResourceVersion(cluster);
  const { selection } = work;
  const { types, readOnly, unreadable } = await discover(cluster, (group, known) =>
    mayTakeOf(group, selection, known),
  );
  const served = new Set(types.map(groupResource));
  const extent = (type: ResourceType) => extentOf(type, selection, served);
  const whole = types.filter((t) => extent(t) === 'all');
  const counted = await pMap(whole, (type) => countUnits(cluster, work, type, shardItems), {
    concurrency: CONCURRENCY,
  });
  return {
    resourceVersion,
    shards: shardsOf(counted.flat(), shardItems).map((units) =>
      units.map(({ type, namespace }) => ({ type, namespace })),
    ),
    related: types.filter((t) => extent(t) === 'related'),
    unreadable,
    readOnly,
    problems: namingNothing(
      selection,
      types,
      unreadable.map((group) => group.slice(0, group.indexOf('/'))),
    ),
  };
}

/** One unit for a whole type if the plan covers most namespaces and the type fits a shard; else one per namespace. */
async function countUnits(
  cluster: KubeClient,
  work: Work,
  type: ResourceType,
  shardItems: number,
): Promise<ExportUnit[]> {
  const items = (await countObjects(cluster, type)) ?? 0;
  if (!type.namespaced || (work.wide && items <= shardItems) || items === 0) return [{ type, items }];
  // Too few objects for their distribution over namespaces to matter.
  if (items <= shardItems / FEW) return work.namespaces.map((namespace) => ({ type, namespace, items: 0 }));
  return pMap(
    work.namespaces,
    async (namespace) => ({ type, namespace, items: (await countObjects(cluster, type, namespace)) ?? 0 }),
    { concurrency: CONCURRENCY },
  );
}
