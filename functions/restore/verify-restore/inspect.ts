import { parseArchived } from '../../adapters/archive/reader.ts';
import { listPages } from '../../adapters/kubernetes/lists.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { differencesIn } from '../../core/restore/compare.ts';
import { readiness } from '../../core/restore/readiness.ts';
import { itemKey, type PlanItem, typeOfItem } from '../../core/restore/restore-plan.ts';
import { type Origin, targetOf, transform } from '../../core/restore/transform.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** Restored objects that are not ready, or have drift. */
export interface Inspection {
  /** `deployments.apps shop/web: 0 of 2 ready` */
  readonly notReady: string[];
  /** `configmaps shop/settings: data.color` */
  readonly differing: string[];
}

/** The restore whose objects are inspected. */
export interface InspectContext extends Origin {
  readonly options: RestoreOptions;
}

/** Checks that every restored object exists, has no drift and is ready. Takes one list per type and namespace. */
export async function inspect(
  cluster: KubeClient,
  items: readonly PlanItem[],
  bodies: ReadonlyMap<string, Buffer>,
  { options, ...origin }: InspectContext,
): Promise<Inspection> {
  const seen = { notReady: [] as string[], differing: [] as string[] };
  const groups = Map.groupBy(items, (i) => {
    const to = targetOf(i, options);
    return `${to.groupResource}/${to.version}/${to.namespace ?? ''}`;
  });
  for (const group of groups.values()) {
    const [first] = group as [PlanItem, ...PlanItem[]];
    const open = new Map(group.map((item) => [targetOf(item, options).name, item]));
    const { namespace } = targetOf(first, options);
    for await (const page of listPages(cluster, typeOfItem(first), { namespace, absent: 'empty' })) {
      for (const { name, raw } of page.items) {
        const item = open.get(name);
        const body = item && bodies.get(itemKey(item));
        if (!item || !body || !open.delete(name)) continue;
        const wanted = transform(
          item,
          parseArchived<KubeObject>({ at: item, raw: body }, parseLossless),
          options,
          origin,
        );
        const kind = wanted.kind ?? '';
        look(
          targetOf(item, options),
          wanted,
          { ...(JSON.parse(raw.toString('utf8')) as KubeObject), kind },
          seen,
        );
      }
    }
    for (const item of open.values()) seen.differing.push(`${nameOf(targetOf(item, options))}: is not there`);
  }
  return { notReady: seen.notReady.sort(), differing: seen.differing.sort() };
}

const nameOf = (at: ArchivedName): string =>
  `${at.groupResource} ${at.namespace === undefined ? '' : `${at.namespace}/`}${at.name}`;

function look(at: ArchivedName, wanted: KubeObject, live: KubeObject, seen: Inspection): void {
  const waiting = readiness(live);
  if (waiting) seen.notReady.push(`${nameOf(at)}: ${waiting}`);
  const { apiVersion: _, ...asked } = wanted; // items of lists have no apiVersion
  for (const path of differencesIn(at, asked as KubeObject, live))
    seen.differing.push(`${nameOf(at)}: ${path}`);
}
