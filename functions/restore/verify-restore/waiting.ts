import { parseArchived } from '../../adapters/archive/reader.ts';
import { listObjects } from '../../adapters/kubernetes/lists.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { recordsIn } from '../../core/bytes/json-value.ts';
import { collectionPath, type KubeObject } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { type ClaimClasses, claimClasses } from '../../core/restore/claim-readiness.ts';
import { textOr } from '../../core/restore/conditions.ts';
import { becomesReady, readiness } from '../../core/restore/readiness.ts';
import { itemKey, type PlanItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { nameOf } from './inspect.ts';
import { findLive, type Placed } from './live-objects.ts';

/** An object that is not ready, and why. */
export interface NotReady<P extends Placed = Placed> {
  readonly placed: P;
  readonly reason: string;
}

/** Claims whose events are read. The reasons of many are one. */
const MOST_EXPLAINED = 20;

/** Restored objects that are not ready. Lists only types that can be there and not be ready, and reads no archive. */
export async function findNotReady<P extends Placed>(
  cluster: KubeClient,
  placed: readonly P[],
): Promise<NotReady<P>[]> {
  const waiting: NotReady<P>[] = [];
  const some = placed.filter(({ at }) => becomesReady(at));
  const classes = some.some(({ at }) => at.groupResource === 'persistentvolumeclaims')
    ? await classesOf(cluster)
    : undefined;
  await findLive(cluster, some, {
    found(of, raw) {
      const reason = readiness(of.at, JSON.parse(raw.toString('utf8')) as KubeObject, classes);
      if (reason !== undefined) waiting.push({ placed: of, reason });
    },
    // Told by the comparison.
    absent: () => undefined,
    unreadable: () => undefined,
  });
  return waiting;
}

/** The storage classes; undefined if they cannot be read, which costs only words. */
async function classesOf(cluster: KubeClient): Promise<ClaimClasses | undefined> {
  try {
    return claimClasses(await listObjects(cluster, TYPES.storageClasses));
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

/** Which of these objects were not ready when they were archived. `bodies`: archived objects by item key. */
export const notReadyInArchive = (
  items: readonly PlanItem[],
  bodies: ReadonlyMap<string, Buffer>,
): PlanItem[] =>
  items.filter((item) => {
    const raw = bodies.get(itemKey(item));
    if (!raw) return false;
    return readiness(item, parseArchived<KubeObject>({ at: item, raw }, JSON.parse)) !== undefined;
  });

/** `pods shop/bare: Pending: 0/1 nodes are available`, sorted. The reason of a claim is that of its last event, if it has any. */
export async function explain(cluster: KubeClient, waiting: readonly NotReady[]): Promise<string[]> {
  const lines: string[] = [];
  let claims = 0;
  for (const { placed, reason } of waiting) {
    const isClaim = placed.at.groupResource === 'persistentvolumeclaims';
    const said = isClaim && ++claims <= MOST_EXPLAINED ? await lastEventOf(cluster, placed) : undefined;
    lines.push(`${nameOf(placed.at)}: ${said === undefined ? reason : `${reason}: ${said}`}`);
  }
  return lines.sort();
}

async function lastEventOf(cluster: KubeClient, { at }: Placed): Promise<string | undefined> {
  const path = collectionPath(TYPES.events, at.namespace);
  const fieldSelector = `involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${at.name}`;
  try {
    const { body } = await cluster.call('GET', path, { query: { fieldSelector, limit: '100' } });
    const { items } = JSON.parse(body.toString('utf8')) as { items?: unknown };
    const events = recordsIn(items).sort((a, b) => timeOf(a).localeCompare(timeOf(b)));
    return textOr(events.at(-1)?.message);
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

const timeOf = (event: Record<string, unknown>): string =>
  textOr(event.lastTimestamp, event.eventTime, event.firstTimestamp) ?? '';
