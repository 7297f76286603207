import pMap from 'p-map';
import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { cleanForRestore, RESTORE_LABEL } from '../core/clean.ts';
import { HoldfastError, messageOf } from '../core/errors.ts';
import { collectionPath, type KubeObject, objectPath } from '../core/resources.ts';
import { itemKey, type PlanItem, typeOfItem } from '../core/restore-plan.ts';
import type { AppliedItem } from '../runtime/restore-documents.ts';
import { waitEstablished } from './established.ts';

const CONCURRENCY = 8;
/** Objects that fail because something is not there yet are tried again: 3 passes, 2 s apart. */
const PASSES = 3;
const PASS_WAIT_MS = 2000;

export interface ApplyOptions {
  readonly backup: string;
  readonly restore: string;
  readonly existing: 'skip' | 'fail';
}

/** Creates items type by type in the plan's order; within a type side by side. */
export async function applyItems(
  cluster: KubeClient,
  items: readonly PlanItem[],
  bodies: ReadonlyMap<string, KubeObject>,
  options: ApplyOptions,
): Promise<AppliedItem[]> {
  const results = new Map<string, AppliedItem>();
  const note = (item: PlanItem, result: AppliedItem['result'], reason?: string) => {
    const { groupResource, version, namespace, name } = item;
    results.set(itemKey(item), {
      groupResource,
      version,
      ...(namespace && { namespace }),
      name,
      result,
      ...(reason && { reason }),
    });
  };
  const create = async (item: PlanItem) => {
    const body = bodies.get(itemKey(item));
    if (!body) return note(item, 'failed', 'not in the archive');
    try {
      const ended = await createOne(cluster, item, cleanForRestore(body, options), options);
      note(item, ended.result, ended.reason);
    } catch (error) {
      if (error instanceof HoldfastError && error.retryable) throw error;
      note(item, 'failed', messageOf(error));
    }
  };
  for (const item of items.filter((i) => i.action === 'skip')) note(item, 'skipped', item.reason);
  const wanted = items.filter((i) => i.action === 'create');
  for (let pass = 1; pass <= PASSES; pass++) {
    const open = wanted.filter((i) => (results.get(itemKey(i))?.result ?? 'failed') === 'failed');
    for (const type of new Set(open.map((i) => i.groupResource))) {
      const ofType = open.filter((i) => i.groupResource === type);
      await pMap(ofType, create, { concurrency: CONCURRENCY });
      if (type.startsWith('customresourcedefinitions.'))
        await waitEstablished(
          cluster,
          ofType.map((i) => i.name),
        );
    }
    if (wanted.every((i) => results.get(itemKey(i))?.result !== 'failed')) break;
    if (pass < PASSES) await new Promise((resolve) => setTimeout(resolve, PASS_WAIT_MS));
  }
  return items.map((i) => results.get(itemKey(i)) as AppliedItem);
}

async function createOne(
  cluster: KubeClient,
  item: PlanItem,
  body: KubeObject,
  options: ApplyOptions,
): Promise<Pick<AppliedItem, 'result' | 'reason'>> {
  const type = typeOfItem(item);
  const answer = await cluster.call('POST', collectionPath(type, item.namespace), {
    body,
    accept: [400, 403, 404, 409, 422],
  });
  if (answer.status < 400) return { result: 'created' };
  const message =
    (JSON.parse(answer.body.toString('utf8')) as { message?: string }).message ?? `status ${answer.status}`;
  if (answer.status !== 409) {
    if (/because it is being terminated/.test(message)) throw new HoldfastError('ClusterBusy', message);
    return { result: 'failed', reason: message };
  }
  const live = JSON.parse(
    (await cluster.call('GET', objectPath(type, item.name, item.namespace), { accept: [404] })).body.toString(
      'utf8',
    ),
  ) as KubeObject;
  if (live.metadata?.deletionTimestamp)
    throw new HoldfastError('ClusterBusy', `${item.groupResource} ${item.name} is still being deleted`);
  // Ours from an earlier try of this very step: a killed function starts it again.
  if (live.metadata?.labels?.[RESTORE_LABEL] === options.restore) return { result: 'created' };
  return options.existing === 'fail'
    ? { result: 'failed', reason: 'exists already' }
    : { result: 'skipped', reason: 'exists already' };
}
