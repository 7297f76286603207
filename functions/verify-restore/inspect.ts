import pMap from 'p-map';
import type { KubeClient } from '../adapters/kubernetes/client.ts';
import { cleanForRestore } from '../core/clean.ts';
import { differences } from '../core/compare.ts';
import { readiness } from '../core/readiness.ts';
import { type KubeObject, objectPath } from '../core/resources.ts';
import { itemKey, type PlanItem, typeOfItem } from '../core/restore-plan.ts';

const CONCURRENCY = 8;

export interface Inspection {
  /** `deployments.apps shop/web: 0 of 2 ready` */
  readonly notReady: string[];
  /** `configmaps shop/settings: data.color` */
  readonly differing: string[];
}

/** Looks at every restored object: whether it is there, says what was asked for, and works. */
export async function inspect(
  cluster: KubeClient,
  items: readonly PlanItem[],
  bodies: ReadonlyMap<string, KubeObject>,
  labels: { backup: string; restore: string },
): Promise<Inspection> {
  const notReady: string[] = [];
  const differing: string[] = [];
  const look = async (item: PlanItem) => {
    const body = bodies.get(itemKey(item));
    if (!body) return;
    const what = `${item.groupResource} ${item.namespace ? `${item.namespace}/` : ''}${item.name}`;
    const { status, body: live } = await cluster.call(
      'GET',
      objectPath(typeOfItem(item), item.name, item.namespace),
      {
        accept: [404],
      },
    );
    if (status === 404) {
      differing.push(`${what}: is not there`);
      return;
    }
    const object = JSON.parse(live.toString('utf8')) as KubeObject;
    const waiting = readiness(object);
    if (waiting) notReady.push(`${what}: ${waiting}`);
    for (const path of differences(cleanForRestore(body, labels), object)) differing.push(`${what}: ${path}`);
  };
  await pMap(items, look, { concurrency: CONCURRENCY });
  return { notReady: notReady.sort(), differing: differing.sort() };
}
