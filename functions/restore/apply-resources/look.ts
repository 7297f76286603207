import { listPages } from '../../adapters/kubernetes/lists.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { typeOfItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** Up to this many objects of a type and namespace are looked up one by one, and more with a list. */
export const FEW = 20;
/** Lists of more namespaces are one list of the whole cluster. */
const NAMESPACES = 8;

const keyOf = ({ namespace, name }: Pick<ArchivedName, 'namespace' | 'name'>): string =>
  `${namespace ?? ''}/${name}`;

/** An item, and where its object is in the cluster. */
export interface Place<T> {
  readonly item: T;
  readonly at: ArchivedName;
}

/**
 * Lists the objects of one type and visits, page by page, those that exist with their item. Returns the items that do not
 * exist, and those of which that could not be found out.
 */
export async function lookUp<T>(
  cluster: KubeClient,
  places: readonly Place<T>[],
  visit: (found: readonly { item: T; live: KubeObject }[]) => Promise<void>,
): Promise<{ absent: T[]; unknown: T[] }> {
  const absent: T[] = [];
  const unknown: T[] = [];
  const byNamespace = Map.groupBy(places, ({ at }) => at.namespace);
  const groups: [string | undefined, readonly Place<T>[]][] =
    byNamespace.size > NAMESPACES ? [[undefined, places]] : [...byNamespace];
  for (const [namespace, group] of groups) {
    const open = new Map(group.map((place) => [keyOf(place.at), place]));
    const isWhole = await list(cluster, group, { namespace, open, visit });
    for (const { item } of open.values()) (isWhole ? absent : unknown).push(item);
  }
  return { absent, unknown };
}

interface ListContext<T> {
  readonly namespace: string | undefined;
  /** Items that have not been found yet, by namespace and name. */
  readonly open: Map<string, Place<T>>;
  visit(found: readonly { item: T; live: KubeObject }[]): Promise<void>;
}

/** Whether the list could be read to its end. */
async function list<T>(
  cluster: KubeClient,
  [first]: readonly Place<T>[],
  { namespace, open, visit }: ListContext<T>,
): Promise<boolean> {
  if (!first) return true;
  try {
    for await (const page of listPages(cluster, typeOfItem(first.at), { namespace, absent: 'error' })) {
      const found = page.items.flatMap((object) => {
        const key = keyOf({ namespace: object.namespace, name: object.name });
        const place = open.get(key);
        if (!place) return [];
        open.delete(key);
        return [{ item: place.item, live: parseLossless(object.raw.toString('utf8')) as KubeObject }];
      });
      await visit(found);
      if (open.size === 0) break;
    }
    return true;
  } catch (error) {
    if (error instanceof HoldfastError) return false;
    throw error;
  }
}
