import pMap from 'p-map';
import * as z from 'zod/mini';
import { discover } from '../../adapters/kubernetes/discovery.ts';
import { countObjects, currentResourceVersion } from '../../adapters/kubernetes/lists.ts';
import type { Work } from '../../core/record.ts';
import { groupResource, type ResourceType } from '../../core/resources.ts';
import { extentOf } from '../../core/selection.ts';
import { type ExportUnit, shardsOf } from '../../core/shards.ts';
import { ResourceTypeShape } from '../../core/well-known.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** Counts are asked for side by side, a few at a time: the API server has other things to do. */
const CONCURRENCY = 8;
/** A type with less than this part of a shard is not counted by namespace. */
const FEW = 100;

const Unit = z.object({ type: ResourceTypeShape, namespace: z.optional(z.string()) });

/** What one export is to read: written down once, so that every shard and every second try reads the same. */
export const ExportPlan = z.object({
  /** The one instant. */
  resourceVersion: z.string(),
  shards: z.array(z.array(Unit)),
  /** Cluster-scoped types of which only what belongs to the rest is taken. */
  related: z.array(ResourceTypeShape),
  /** Groups that discovery could not read. */
  unreadable: z.array(z.string()),
});
export type ExportPlan = z.infer<typeof ExportPlan>;

/** Finds out what there is to read, and splits it when it is more than one function should read. */
export async function planExport(cluster: KubeClient, work: Work, shardItems: number): Promise<ExportPlan> {
  const resourceVersion = await currentResourceVersion(cluster);
  const { types, unreadable } = await discover(cluster);
  const served = new Set(types.map(groupResource));
  const extent = (type: ResourceType) => extentOf(type, work.selection, served);
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
  };
}

/** One unit for a whole type when most of its namespaces are in the plan and it fits; one for each namespace otherwise. */
async function countUnits(
  cluster: KubeClient,
  work: Work,
  type: ResourceType,
  shardItems: number,
): Promise<ExportUnit[]> {
  const items = (await countObjects(cluster, type)) ?? 0;
  if (!type.namespaced || (work.wide && items <= shardItems) || items === 0) return [{ type, items }];
  // So few that it matters little in which namespaces they are.
  if (items <= shardItems / FEW) return work.namespaces.map((namespace) => ({ type, namespace, items: 0 }));
  return pMap(
    work.namespaces,
    async (namespace) => ({ type, namespace, items: (await countObjects(cluster, type, namespace)) ?? 0 }),
    { concurrency: CONCURRENCY },
  );
}
