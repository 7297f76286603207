import { parseArchived } from '../../adapters/archive/reader.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { judge, type LaterChange } from '../../core/restore/answerable.ts';
import { differencesIn } from '../../core/restore/compare.ts';
import { itemKey } from '../../core/restore/restore-plan.ts';
import { type Origin, transform } from '../../core/restore/transform.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { AppliedItem } from '../documents.ts';
import { findLive, type Placed } from './live-objects.ts';

/** A difference that came after the restore had written an object. */
export interface ChangedSince extends LaterChange {
  /** `deployments.apps shop/web` */
  readonly object: string;
}

/** How restored objects are in the cluster. */
export interface Inspection {
  /** Objects that are not there, or not as wanted: `configmaps shop/settings: data.color`. */
  readonly differing: string[];
  readonly changedSince: ChangedSince[];
}

/** The restore whose objects are inspected. */
export interface InspectContext extends Origin {
  readonly options: RestoreOptions;
  /** RFC 3339. Fields that others wrote later are theirs. */
  readonly startedAt?: string;
  /** Whether all items of a type are inspected at once; default: they are. */
  readonly isWhole?: (groupResource: string) => boolean;
}

/** An item with what was noted when it was written; without a result nothing was. */
export interface Inspected extends Placed {
  readonly result?: Pick<AppliedItem, 'result' | 'differs'>;
}

/** Paths of one object that a report names. */
const MOST_PATHS = 20;

/**
 * Checks that restored objects exist and are as wanted. A difference counts only if the restore is answerable for it; others are
 * `changedSince`. `bodies`: archived objects by item key; an item without one is only looked for.
 */
export async function inspect(
  cluster: KubeClient,
  items: readonly Inspected[],
  bodies: ReadonlyMap<string, Buffer>,
  { options, startedAt, isWhole, ...origin }: InspectContext,
): Promise<Inspection> {
  const differing: string[] = [];
  const changedSince: ChangedSince[] = [];
  const found = ({ item, at, result }: Inspected, raw: Buffer) => {
    const live = parseLossless(raw.toString('utf8')) as KubeObject;
    const name = nameOf(at);
    if (live.metadata.deletionTimestamp !== undefined) {
      differing.push(`${name}: is being deleted`);
      return;
    }
    const body = bodies.get(itemKey(item));
    const differed = result && (result.differs ?? []);
    const paths = body === undefined ? [] : pathsOf({ item, at }, body, live);
    const { counts, later } = judge(live, paths, {
      ...(differed && { differed }),
      ...(startedAt !== undefined && { startedAt }),
    });
    const unseen = differed?.filter((path) => isUnseen(path, { item, at })) ?? [];
    for (const path of [...counts, ...unseen].slice(0, MOST_PATHS)) differing.push(`${name}: ${path}`);
    for (const change of later.slice(0, MOST_PATHS)) changedSince.push({ object: name, ...change });
  };
  const pathsOf = ({ item, at }: Placed, raw: Buffer, live: KubeObject): string[] => {
    if (at.version !== item.version) return []; // the API server has converted it
    const archived = parseArchived<KubeObject>({ at: item, raw }, parseLossless);
    const { apiVersion: _, kind, ...asked } = transform(item, archived, options, origin);
    // Items of lists have no apiVersion, and those of built-in lists no kind.
    return differencesIn(at, asked, { ...live, ...(kind !== undefined && { kind }) });
  };
  await findLive(
    cluster,
    items,
    {
      found,
      absent: ({ at }) => void differing.push(`${nameOf(at)}: is not there`),
      unreadable: ({ at }, reason) => void differing.push(`${nameOf(at)}: cannot be compared: ${reason}`),
    },
    isWhole,
  );
  return { differing, changedSince };
}

/** Differences that a comparison does not show: those of the status, and of an object that is stored in another version. */
const isUnseen = (path: string, { item, at }: Placed): boolean =>
  /^status(\W|$)/.test(path) || at.version !== item.version;

/** `deployments.apps shop/web` */
export const nameOf = ({ groupResource, namespace, name }: ArchivedName): string =>
  `${groupResource} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
