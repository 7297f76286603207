import { listPages } from '../../adapters/kubernetes/lists.ts';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { type PlanItem, typeOfItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { answers } from '../api-server.ts';

/** An item of the plan, and where its object is in the cluster. */
export interface Placed {
  readonly item: PlanItem;
  readonly at: ArchivedName;
}

/** What a pass over live objects is told. `raw` is good until the next call. */
export interface Seen<P extends Placed> {
  found(placed: P, raw: Buffer): void;
  absent(placed: P): void;
  /** The API server cannot list the type, while it answers otherwise. */
  unreadable(placed: P, reason: string): void;
}

/** Items of one type in more namespaces than this are found in one list of the cluster. */
const MANY_NAMESPACES = 20;

/**
 * Looks for objects with one list per type and namespace, or one of the cluster where a type is in many namespaces. Memory
 * holds a page. Each object is reported once. `isWhole`: whether these are all items of a type; if not, its namespaces are
 * listed one by one, because the rest of a list of the cluster would be read for nothing.
 *
 * @throws HoldfastError when the API server does not answer at all.
 */
export async function findLive<P extends Placed>(
  cluster: KubeClient,
  placed: readonly P[],
  seen: Seen<P>,
  isWhole: (groupResource: string) => boolean = () => true,
): Promise<void> {
  const types = Map.groupBy(placed, ({ at }) => `${at.groupResource}/${at.version}`);
  for (const ofType of types.values()) {
    const [{ at }] = ofType as [P, ...P[]];
    const byNamespace = Map.groupBy(ofType, (p) => p.at.namespace);
    if (byNamespace.size > MANY_NAMESPACES && isWhole(at.groupResource))
      await findIn(cluster, undefined, ofType, seen);
    else for (const [namespace, some] of byNamespace) await findIn(cluster, namespace, some, seen);
  }
}

async function findIn<P extends Placed>(
  cluster: KubeClient,
  namespace: string | undefined,
  placed: readonly P[],
  seen: Seen<P>,
): Promise<void> {
  const [{ at }] = placed as [P, ...P[]];
  const keyOf = (name: string, of: string | undefined) => `${of ?? ''}/${name}`;
  const open = new Map(placed.map((p) => [keyOf(p.at.name, p.at.namespace), p]));
  const isNamespaced = at.namespace !== undefined;
  const list = async () => {
    for await (const page of listPages(cluster, typeOfItem(at), { namespace, absent: 'error' })) {
      for (const { name, namespace: home, raw } of page.items) {
        const key = keyOf(name, isNamespaced ? (namespace ?? home) : undefined);
        const found = open.get(key);
        if (!found) continue;
        open.delete(key);
        seen.found(found, raw);
      }
    }
  };
  // Once more: the API server may have been away for a moment.
  const reason = (await whyUnlisted(cluster, list)) && (await whyUnlisted(cluster, list));
  for (const left of open.values()) {
    if (reason === undefined) seen.absent(left);
    else seen.unreadable(left, reason);
  }
}

/** Why a list could not be read to its end, while the API server answers otherwise; undefined if it could. */
async function whyUnlisted(cluster: KubeClient, list: () => Promise<void>): Promise<string | undefined> {
  try {
    await list();
    return undefined;
  } catch (error) {
    if (!(error instanceof HoldfastError) || !(await answers(cluster))) throw error;
    return messageOf(error);
  }
}
