import { parseArchived } from '../../adapters/archive/reader.ts';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { itemKey, type PlanItem } from '../../core/restore/restore-plan.ts';
import { type Origin, targetOf, transform } from '../../core/restore/transform.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { type AppliedItem, keyOfApplied } from '../documents.ts';
import { runAdaptive } from './adaptive.ts';
import { waitEstablished } from './established.ts';
import { type Ending, putObject } from './put-object.ts';

/** Waits between passes over items that failed because a dependency was not ready: 31 s in all. */
const PASS_WAITS_MS = [1000, 2000, 4000, 8000, 16_000];

/** How the items of one call are applied. */
export interface ApplyOptions extends Origin {
  readonly options: RestoreOptions;
  /** Results of an earlier call that ran out of time. */
  readonly before: readonly AppliedItem[];
  /** Whether there is time to start another object. */
  readonly goOn: () => boolean;
  /** Waits; absent: in real time. */
  readonly sleep?: (ms: number) => Promise<void>;
}

const realSleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/**
 * Creates items in the cluster, type by type in the plan's order, in parallel within a type. Returns the results; items
 * without a result are left for the next call.
 */
export async function applyItems(
  cluster: KubeClient,
  items: readonly PlanItem[],
  bodies: ReadonlyMap<string, Buffer>,
  apply: ApplyOptions,
): Promise<AppliedItem[]> {
  const { goOn, sleep = realSleep } = apply;
  const results = new Map(apply.before.map((a) => [keyOfApplied(a), a]));
  const again = new Set<string>();
  const note = (item: PlanItem, { result, reason }: Ending) => {
    const to = targetOf(item, apply.options);
    const { groupResource, version, namespace, name } = to;
    results.set(itemKey(item), {
      groupResource,
      version,
      ...(namespace !== undefined && { namespace }),
      name,
      ...(to.name !== item.name || to.namespace !== item.namespace ? { from: itemKey(item) } : {}),
      result,
      ...(reason && { reason }),
    });
  };
  const one = async (item: PlanItem): Promise<'done' | 'busy'> => {
    const raw = bodies.get(itemKey(item));
    const ending = raw
      ? await bring(cluster, item, raw, apply)
      : { result: 'failed' as const, reason: 'not in the archive' };
    again[ending.again ? 'add' : 'delete'](itemKey(item));
    note(item, ending);
    return ending.busy ? 'busy' : 'done';
  };
  for (const item of items) {
    if (item.action === 'skip') note(item, { result: 'skipped', reason: item.reason });
    if (item.action === 'hold') note(item, { result: 'held', reason: item.reason });
  }
  const wanted = items.filter((i) => i.action === 'create' && !results.has(itemKey(i)));
  for (let pass = 0; ; pass++) {
    const open = pass === 0 ? wanted : wanted.filter((i) => again.has(itemKey(i)));
    await inOrder(cluster, open, one, { goOn, sleep });
    if (again.size === 0 || pass === PASS_WAITS_MS.length || !goOn()) break;
    await sleep(PASS_WAITS_MS[pass] as number);
  }
  // Items that may still succeed have no result yet: the next call tries them again.
  if (!goOn()) for (const key of again) results.delete(key);
  return items.flatMap((i) => results.get(itemKey(i)) ?? []);
}

async function inOrder(
  cluster: KubeClient,
  items: readonly PlanItem[],
  one: (item: PlanItem) => Promise<'done' | 'busy'>,
  { goOn, sleep }: Required<Pick<ApplyOptions, 'goOn' | 'sleep'>>,
): Promise<void> {
  for (const type of new Set(items.map((i) => i.groupResource))) {
    const ofType = items.filter((i) => i.groupResource === type);
    await runAdaptive(ofType, one, goOn);
    if (type.startsWith('customresourcedefinitions.') && goOn())
      await waitEstablished(
        cluster,
        ofType.map((i) => i.name),
        sleep,
      );
  }
}

async function bring(cluster: KubeClient, item: PlanItem, raw: Buffer, apply: ApplyOptions): Promise<Ending> {
  try {
    const archived = parseArchived<KubeObject>({ at: item, raw }, parseLossless);
    const { status } = archived;
    const wanted = transform(item, archived, apply.options, apply);
    return await putObject({ ...apply, cluster }, targetOf(item, apply.options), wanted, status);
  } catch (error) {
    if (error instanceof HoldfastError && error.retryable) throw error;
    return { result: 'failed', reason: messageOf(error) };
  }
}
