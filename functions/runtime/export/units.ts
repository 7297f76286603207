import pMap from 'p-map';
import type { ArchiveWriter } from '../../adapters/archive/writer.ts';
import { ClusterAnswer } from '../../adapters/kubernetes/client.ts';
import {
  InstantGone,
  type ListOptions,
  listPages,
  type ObjectPage,
  pageBuffer,
} from '../../adapters/kubernetes/lists.ts';
import { HoldfastError, messageOf } from '../../core/errors.ts';
import type { GrowingBuffer } from '../../core/growing-buffer.ts';
import { type PageItem, typeMeta } from '../../core/json-slices.ts';
import { noteRelated, POINTING } from '../../core/related.ts';
import { apiVersion, groupResource, type KubeObject, type ResourceType } from '../../core/resources.ts';
import type { ExportUnit } from '../../core/shards.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Tally } from './tally.ts';

/** Lists that are read side by side: enough to keep one connection busy while another page is compressed. */
const CONCURRENCY = 4;

/** What every list of one export shares. */
export interface ExportContext {
  readonly cluster: KubeClient;
  readonly writer: ArchiveWriter;
  readonly tally: Tally;
  readonly resourceVersion: string;
  /** Namespaces of the backup. */
  readonly namespaces: ReadonlySet<string>;
  /** kubectl label selectors of which an object must match one; none: every object. */
  readonly selectors: readonly string[];
  /** Buffers of pages that no list uses now. */
  readonly spare: GrowingBuffer[];
}

type Unit = Pick<ExportUnit, 'type' | 'namespace'>;

/** Whether an object of a list is to be taken. `object` parses it, once. */
export type Take = (item: PageItem, object: () => KubeObject) => boolean;

/** Reads lists into the archive. A type that cannot be read is named in the tally and does not stop the rest. */
export async function exportUnits(context: ExportContext, units: readonly Unit[]): Promise<void> {
  const inBackup: Take = ({ namespace }) => namespace === undefined || context.namespaces.has(namespace);
  const own: Take = ({ name }) => context.namespaces.has(name);
  await pMap(
    units,
    async (unit) => {
      const isNamespaces = groupResource(unit.type) === 'namespaces';
      // A Namespace is taken for what is in it, whatever its own labels say.
      const selectors = isNamespaces || context.selectors.length === 0 ? [undefined] : context.selectors;
      const seen = new Set<string>();
      for (const labelSelector of selectors) {
        const once: Take = ({ name, namespace }) => {
          const key = `${namespace ?? ''}/${name}`;
          return !seen.has(key) && Boolean(seen.add(key));
        };
        const take: Take = (item, object) =>
          (isNamespaces ? own : inBackup)(item, object) && (selectors.length === 1 || once(item, object));
        await exportList(context, unit, take, labelSelector);
      }
    },
    { concurrency: CONCURRENCY },
  );
}

/** Reads one list into the archive, at the one instant if the server can, as it is now if not. */
export async function exportList(
  context: ExportContext,
  { type, namespace }: Unit,
  take: Take,
  labelSelector?: string,
): Promise<void> {
  const { cluster, tally, resourceVersion } = context;
  const into = context.spare.pop() ?? pageBuffer();
  const now: ListOptions = { namespace, labelSelector, into };
  const read = async (options: ListOptions) => {
    for await (const page of listPages(cluster, type, options)) {
      if (!page.instant) tally.inexact.add(groupResource(type));
      await writePage(context, type, page, take);
    }
  };
  try {
    await read({ ...now, resourceVersion }).catch((error) => {
      if (!(error instanceof InstantGone)) throw error;
      return read(now);
    });
  } catch (error) {
    if (!isOfTheType(error)) throw error;
    tally.unreadable.add(`${groupResource(type)} (${messageOf(error)})`);
  } finally {
    context.spare.push(into);
  }
}

/** A type's own failure; when the whole API server is out of reach or too busy, the export is to be tried again. */
function isOfTheType(error: unknown): boolean {
  if (error instanceof ClusterAnswer) return error.status !== 429 && error.status !== 401;
  return error instanceof HoldfastError && !error.retryable;
}

async function writePage(
  { writer, tally }: ExportContext,
  type: ResourceType,
  page: ObjectPage,
  take: Take,
): Promise<void> {
  const name = groupResource(type);
  const version = apiVersion(type);
  const meta = typeMeta(version, type.kind);
  const points = POINTING.includes(name);
  for (const item of page.items) {
    const object = () => JSON.parse(item.raw.toString('utf8')) as KubeObject;
    if (!take(item, object)) continue;
    if (points) noteRelated(tally.related, name, object());
    if (name.includes('.')) tally.related.definitions.add(name);
    const json = item.typed ? [item.raw] : [meta, item.raw.subarray(1)];
    tally.note(name, `${version}/${type.kind}`, item.namespace, item.name, item.raw);
    tally.bytes += item.raw.length + (item.typed ? 0 : meta.length - 1);
    await writer.add(type, item.name, item.namespace, ...json);
  }
}
