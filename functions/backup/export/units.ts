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
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import { noteRelated, POINTING } from '../../core/backup/related.ts';
import type { ExportUnit } from '../../core/backup/shards.ts';
import type { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import { type PageItem, typeMeta } from '../../core/bytes/json-slices.ts';
import {
  apiVersion,
  groupResource,
  type KubeObject,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Tally } from './tally.ts';

/** Lists that are read in parallel: enough to keep one connection busy while another page is compressed. */
const CONCURRENCY = 4;

/** What all lists of one export share. */
export interface ExportContext {
  readonly cluster: KubeClient;
  readonly writer: ArchiveWriter;
  readonly tally: Tally;
  readonly resourceVersion: string;
  /** Namespaces of the backup. */
  readonly namespaces: ReadonlySet<string>;
  /** Label selectors, of which an object must match at least one; empty: every object. */
  readonly selectors: readonly string[];
  /** Page buffers that are free for reuse. */
  readonly spare: GrowingBuffer[];
}

type Unit = Pick<ExportUnit, 'type' | 'namespace'>;

/** Whether an object of a list is exported. `object` parses it. */
export type Take = (item: PageItem, object: () => KubeObject) => boolean;

/** Exports lists into the archive. A type that cannot be read is added to the tally and does not stop the export. */
export async function exportUnits(context: ExportContext, units: readonly Unit[]): Promise<void> {
  const inBackup: Take = ({ namespace }) => namespace === undefined || context.namespaces.has(namespace);
  const own: Take = ({ name }) => context.namespaces.has(name);
  await pMap(
    units,
    async (unit) => {
      const isNamespaces = groupResource(unit.type) === 'namespaces';
      // Namespaces are exported regardless of their own labels.
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

/** Exports one list into the archive: at the export's point in time if the server still has it, else as of now. */
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

/** Whether only this type failed. If the API server is unreachable or busy, the whole export is retried. */
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
    tally.note({ groupResource: name, kind: `${version}/${type.kind}` }, item);
    tally.bytes += item.raw.length + (item.typed ? 0 : meta.length - 1);
    await writer.add(type, item.name, item.namespace, ...json);
  }
}
