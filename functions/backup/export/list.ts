import type { ArchiveWriter } from '../../adapters/archive/writer.ts';
import { isTimeout } from '../../adapters/kubernetes/client.ts';
import { servedNow } from '../../adapters/kubernetes/discovery.ts';
import {
  currentResourceVersion,
  InstantGone,
  type ListOptions,
  listPages,
  type ObjectPage,
  pageBuffer,
} from '../../adapters/kubernetes/lists.ts';
import { messageOf } from '../../contract/holdfast-error.ts';
import type { ExportUnit } from '../../core/backup/shards.ts';
import type { GrowingBuffer } from '../../core/bytes/growing-buffer.ts';
import type { PageItem } from '../../core/bytes/json-slices.ts';
import { groupResource, type KubeObject, type ResourceType } from '../../core/kubernetes/resources.ts';
import type { KubeClient, Patience } from '../../ports/kubernetes.ts';
import { passOf, writePage } from './pages.ts';
import type { Tally } from './tally.ts';

/** How often a list is begun before its type is given up. */
const ATTEMPTS = 3;
/** Access is denied: another attempt brings nothing. */
const DENIED = [401, 403];
/** For a page of a list. A list that takes longer has an API behind it that does not answer. */
const PATIENCE: Patience = { timeoutMs: 30_000, tries: 2 };
/** For the other lists of a group of which one got no response, or was told to wait for as long as it would. */
const LITTLE_PATIENCE: Patience = { timeoutMs: 10_000, tries: 1 };

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
  /** Types, as `plural.group`, of which a list could not be read. Further lists of them are tried once. */
  readonly failed: Set<string>;
  /** Types, as `plural.group`, that gave no response. */
  readonly silent: Set<string>;
  /** Groups of types that gave no response or stayed busy. Their other types get one short attempt. */
  readonly slow: Set<string>;
  /** Milliseconds between two attempts to read a list. */
  readonly pauseMs: number;
}

/** A list to read. */
export interface Unit extends Pick<ExportUnit, 'type' | 'namespace'> {
  readonly labelSelector?: string;
}

/** Whether an object of a list is exported. `object` parses it. */
export type Take = (item: PageItem, object: () => KubeObject) => boolean;

/** A list failed, and not the archive it is written to. The cause is what was thrown. */
class ListBroke extends Error {}

const statusOf = ({ cause }: ListBroke): number | undefined => (cause as { status?: number }).status;

/**
 * Exports one list into the archive: at the export's point in time if the server still has it, else as of now. A list
 * that cannot be read costs its type, which the tally names with the API server's words.
 *
 * @throws HoldfastError when the API server itself does not answer: the export is then retried as a whole.
 */
export async function exportList(context: ExportContext, unit: Unit, take: Take): Promise<void> {
  const { tally, failed, silent, slow, spare } = context;
  const name = groupResource(unit.type);
  if (silent.has(name)) return;
  const into = spare.pop() ?? pageBuffer();
  try {
    await readServed(context, unit, take, into);
  } catch (error) {
    if (!(error instanceof ListBroke)) throw error;
    failed.add(name);
    if (isTimeout(error)) silent.add(name);
    if (isTimeout(error) || statusOf(error) === 429) slow.add(unit.type.group);
    tally.unreadable.add(`${name} (${messageOf(error.cause)})`);
  } finally {
    spare.push(into);
  }
}

/** Reads a list in the version that is served. What an earlier attempt wrote is not written again. */
async function readServed(
  context: ExportContext,
  unit: Unit,
  take: Take,
  into: GrowingBuffer,
): Promise<void> {
  const { failed, slow } = context;
  const attempts = failed.has(groupResource(unit.type)) || slow.has(unit.type.group) ? 1 : ATTEMPTS;
  let { type } = unit;
  for (let attempt = 1; ; attempt++) {
    try {
      return await read(context, { ...unit, type }, take, { into, again: attempt > 1 });
    } catch (error) {
      if (!(error instanceof ListBroke)) throw error;
      await currentResourceVersion(context.cluster); // throws if it is the API server that has failed
      const status = statusOf(error);
      if (attempt >= attempts || (status && DENIED.includes(status)) || isTimeout(error)) throw error;
      if (status === 404 || status === 405) type = await inServedVersion(context, type);
      await new Promise((resolve) => setTimeout(resolve, context.pauseMs));
    }
  }
}

/** The type at the version that its group prefers now. Throws ListBroke if it is no longer served. */
async function inServedVersion({ cluster }: ExportContext, type: ResourceType): Promise<ResourceType> {
  const served = await servedNow(cluster, type).catch((cause) => {
    throw new ListBroke('', { cause });
  });
  const still = served.find((t) => t.version === type.version) ?? served[0];
  if (still) return still;
  throw new ListBroke('', { cause: new Error('it is no longer served') });
}

interface ReadOptions {
  readonly into: GrowingBuffer;
  /** Whether an earlier attempt may have written a part of the list. */
  readonly again: boolean;
}

async function read(context: ExportContext, unit: Unit, take: Take, { into, again }: ReadOptions) {
  const { cluster, tally, resourceVersion, slow } = context;
  const { type, namespace, labelSelector } = unit;
  const patience = slow.has(type.group) ? LITTLE_PATIENCE : PATIENCE;
  const now: ListOptions = { absent: 'error', namespace, labelSelector, into, patience };
  const pass = passOf(context, unit, take, again);
  const all = async (options: ListOptions) => {
    for await (const page of unbroken(listPages(cluster, type, options))) {
      if (!page.instant) tally.inexact.add(groupResource(type));
      await writePage(pass, page);
    }
  };
  await all({ ...now, resourceVersion }).catch((error) => {
    if (!(error instanceof ListBroke && error.cause instanceof InstantGone)) throw error;
    return all(now);
  });
}

/** The pages of a list. What it throws becomes a ListBroke, to tell it from what writing the pages throws. */
async function* unbroken(pages: AsyncGenerator<ObjectPage>): AsyncGenerator<ObjectPage> {
  try {
    yield* pages;
  } catch (cause) {
    throw new ListBroke(messageOf(cause), { cause });
  }
}
