import { itemKey, type PlanItem } from '../../core/restore/restore-plan.ts';
import { type AppliedItem, type ItemResult, keyOfApplied } from '../documents.ts';
import { type Inspected, nameOf } from './inspect.ts';

/** Results after which an object is in the cluster as planned. */
const IN_PLACE: readonly ItemResult[] = ['created', 'updated', 'unchanged'];

/** An item to be inspected, with its size. */
export interface Restored extends Inspected {
  readonly bytes: number;
  readonly result: AppliedItem;
}

/** Items that are in the cluster as planned, or that could not be made so, where they were written. In the order of the plan. */
export function restoredItems(items: readonly PlanItem[], applied: readonly AppliedItem[]): Restored[] {
  const byKey = new Map(
    applied.filter((a) => IN_PLACE.includes(a.result) || a.differs?.length).map((a) => [keyOfApplied(a), a]),
  );
  return items.flatMap((item) => {
    const result = byKey.get(itemKey(item));
    if (!result) return [];
    const { groupResource, version, namespace, name } = result;
    return [{ item, at: { groupResource, version, namespace, name }, bytes: item.bytes, result }];
  });
}

/**
 * The results as the report has them, one for each object. `stages`: those of the first stage, then those of the second. An
 * object that is left to the controller of its owner is only made if the owner is there: it has failed if the owner failed or
 * was held.
 */
export function finalResults(items: readonly PlanItem[], stages: readonly AppliedItem[]): AppliedItem[] {
  // What the first stage left to the second has a result of each.
  const applied = [...new Map(stages.map((a) => [keyOfApplied(a), a])).values()];
  const makers = new Map(items.flatMap((i) => (i.madeBy === undefined ? [] : [[itemKey(i), i.madeBy]])));
  if (makers.size === 0) return applied;
  const lost = new Map(
    applied
      .filter((a) => a.result === 'failed' || a.result === 'held')
      .map((a) => [keyOfApplied(a), a] as const),
  );
  return applied.map((result) => {
    const cause = result.result === 'skipped' ? lostMaker(keyOfApplied(result), makers, lost) : undefined;
    if (!cause) return result;
    const how = cause.result === 'held' ? 'is held' : 'failed';
    const reason = `not restored: ${nameOf({ ...cause, namespace: cause.namespace })}, which makes it, ${how}`;
    return { ...result, result: 'failed', reason };
  });
}

/** The first maker of an object that was lost: of a pod its ReplicaSet, or the Deployment of that. */
function lostMaker(
  key: string,
  makers: ReadonlyMap<string, string>,
  lost: ReadonlyMap<string, AppliedItem>,
): AppliedItem | undefined {
  const seen = new Set<string>();
  for (let at = makers.get(key); at !== undefined && !seen.has(at); at = makers.get(at)) {
    const found = lost.get(at);
    if (found) return found;
    seen.add(at);
  }
  return undefined;
}
