import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import { type ListPage, type PageItem, readPage } from '../../core/bytes/json-slices.ts';
import {
  apiVersion,
  collectionPath,
  EXCLUDE_LABEL,
  type KubeObject,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import type { KubeClient, Patience } from '../../ports/kubernetes.ts';
import { ClusterAnswer } from './client.ts';

/**
 * Objects per page. The first page is small, because the size of the objects is unknown and a Secret may have 1 MiB.
 * Later pages have about TARGET_BYTES, which bounds the memory of a list.
 */
const FIRST_PAGE = 20;
const LARGEST_PAGE = 2000;
const TARGET_BYTES = 1024 * 1024;
/** Initial size of a page's buffer. Unused pages of it take no memory, and growing it would leave garbage. */
const PAGE_BYTES = 2 * TARGET_BYTES;
/** A page grows at most by this factor: a few small objects say little about the rest. */
const GROWTH = 10;

/** No page of a list is larger. An aggregated API may ignore the limit of objects. */
const MAX_PAGE_BYTES = 128 * 1024 * 1024;
/** A count is worth little time: it only says how an export is divided. */
const COUNT_PATIENCE: Patience = { timeoutMs: 10_000, tries: 1 };

export interface ListOptions {
  /** What it means that the type is not served (404, 405): no object is there, or an error. */
  readonly absent: 'empty' | 'error';
  readonly namespace?: string | undefined;
  /** Reads exactly at this resourceVersion. */
  readonly resourceVersion?: string;
  /** A kubectl label selector. */
  readonly labelSelector?: string | undefined;
  /** Buffer for the pages. Callers that read many lists share one. */
  readonly into?: GrowingBuffer;
  readonly patience?: Patience | undefined;
}

/** A buffer for a page of usual size. */
export const pageBuffer = (): GrowingBuffer => new GrowingBuffer(PAGE_BYTES);

/** The API server cannot (or can no longer) list at the resourceVersion that was asked for. */
export class InstantGone extends Error {
  override readonly name = 'InstantGone';
}

/** A page of a list. `instant`: whether it was read at the requested resourceVersion. */
export interface ObjectPage {
  readonly items: readonly PageItem[];
  readonly instant: boolean;
}

/** Limit of the next page after a page of this size. */
export function nextLimit(limit: number, bytes: number, items: number): number {
  if (items === 0) return limit;
  const fitting = Math.floor(TARGET_BYTES / (bytes / items));
  return Math.max(1, Math.min(fitting, limit * GROWTH, LARGEST_PAGE));
}

/**
 * Pages of a type's objects that are not excluded by label. When the list's snapshot is compacted away on the way, the
 * rest is read as it is now, from where it broke off, and its pages say so. A page's bytes are good until the next page
 * is asked for.
 *
 * @throws InstantGone when the first page cannot be had at the instant; ClusterAnswer with the status of any other
 * error; HoldfastError ClusterUnreachable when no response comes, or one that is no list or has no end.
 */
export async function* listPages(
  client: KubeClient,
  type: ResourceType,
  options: ListOptions,
): AsyncGenerator<ObjectPage> {
  let token = '';
  let instant = options.resourceVersion !== undefined;
  let limit = FIRST_PAGE;
  const { absent, into = pageBuffer(), patience } = options;
  do {
    const answer = await client.call('GET', collectionPath(type, options.namespace), {
      query: queryOf(options, limit, token),
      accept: absent === 'empty' ? [400, 404, 405, 410, 504] : [400, 410, 504],
      into,
      maxBytes: MAX_PAGE_BYTES,
      ...(patience && { patience }),
    });
    const { status, body } = answer;
    if (status === 404 || status === 405) return;
    if (status === 410 && token !== '') {
      token = resumeToken(body); // the 410 contains a token that continues after the last name, at a newer resourceVersion
      instant = false;
      continue;
    }
    if (status >= 400 && token === '' && options.resourceVersion) throw new InstantGone(said(body));
    if (status >= 400) throw new ClusterAnswer(status, `list of ${type.resource}`, body);
    const page = readWhole(type, body);
    // An aggregated API may ignore the requested resourceVersion.
    if (page.metadata.resourceVersion !== options.resourceVersion) instant = false;
    yield { items: page.items, instant };
    limit = nextLimit(limit, body.length, page.items.length);
    token = nextToken(type, page, token);
  } while (token);
}

function nextToken(type: ResourceType, { metadata }: ListPage, token: string): string {
  const next = metadata.continue ?? '';
  if (next === '' || next !== token) return next;
  throw new HoldfastError(
    'ClusterUnreachable',
    `list of ${type.resource}: it continues at the same place for ever`,
  );
}

function queryOf(options: ListOptions, limit: number, token: string): Record<string, string> {
  const selectors = [`${EXCLUDE_LABEL}!=true`, ...(options.labelSelector ? [options.labelSelector] : [])];
  return {
    limit: String(limit),
    labelSelector: selectors.join(','),
    ...(token && { continue: token }),
    ...(!token &&
      options.resourceVersion && {
        resourceVersion: options.resourceVersion,
        resourceVersionMatch: 'Exact',
      }),
  };
}

function readWhole(type: ResourceType, body: Buffer): ListPage {
  try {
    return readPage(body);
  } catch (cause) {
    throw new HoldfastError('ClusterUnreachable', `list of ${type.resource}: ${messageOf(cause)}`, { cause });
  }
}

const said = (body: Buffer): string => body.toString('utf8').slice(0, 200);

function resumeToken(body: Buffer): string {
  const { metadata } = JSON.parse(body.toString('utf8')) as { metadata?: { continue?: string } };
  if (metadata?.continue) return metadata.continue;
  throw new HoldfastError('ClusterBusy', `the resourceVersion of a list was compacted: ${said(body)}`);
}

/**
 * All objects of a type, parsed; none if a type outside of the core group is not served. Only for types with few
 * objects.
 */
export async function listObjects(
  client: KubeClient,
  type: ResourceType,
  namespace?: string,
): Promise<KubeObject[]> {
  const all: KubeObject[] = [];
  // Every API server serves the core group. One that does not is a proxy whose API server is not there.
  const absent = type.group === '' ? 'error' : 'empty';
  for await (const { items } of listPages(client, type, { namespace, absent })) {
    for (const { raw } of items)
      all.push({
        ...(JSON.parse(raw.toString('utf8')) as KubeObject),
        apiVersion: apiVersion(type),
        kind: type.kind,
      });
  }
  return all;
}

/** Approximate number of objects in a list; undefined if the server does not report it, or cannot read the list. */
export async function countObjects(
  client: KubeClient,
  type: ResourceType,
  namespace?: string,
): Promise<number | undefined> {
  try {
    const { body } = await client.call('GET', collectionPath(type, namespace), {
      query: { limit: '1' },
      maxBytes: MAX_PAGE_BYTES,
      patience: COUNT_PATIENCE,
    });
    const { items, metadata } = readWhole(type, body);
    return metadata.continue && metadata.remainingItemCount === undefined
      ? undefined
      : items.length + (metadata.remainingItemCount ?? 0);
  } catch {
    return undefined; // the export reads the list and says what is wrong with it
  }
}

/** The API server's newest resourceVersion: the point in time of a backup. */
export async function currentResourceVersion(client: KubeClient): Promise<string> {
  const { body } = await client.call('GET', '/api/v1/namespaces', { query: { limit: '1' } });
  const { resourceVersion } = readPage(body).metadata;
  if (resourceVersion) return resourceVersion;
  throw new HoldfastError('ClusterBusy', 'the list of namespaces has no resourceVersion');
}
