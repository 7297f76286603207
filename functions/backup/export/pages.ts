import type { ObjectPage } from '../../adapters/kubernetes/lists.ts';
import { hasArchivePath, MAX_ENTRY_BYTES } from '../../core/backup/archive.ts';
import { noteRelated, POINTING } from '../../core/backup/related.ts';
import { DigestSet } from '../../core/bytes/digest-set.ts';
import { type PageItem, typeMeta } from '../../core/bytes/json-slices.ts';
import { isBuiltInGroup } from '../../core/kubernetes/built-in.ts';
import {
  apiVersion,
  groupResource,
  type KubeObject,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import type { ExportContext, Take, Unit } from './list.ts';
import { digestOf, type Flaw } from './tally.ts';

/** More than `apiVersion` and `kind` take. */
const MAX_META_BYTES = 4096;
/** Objects that only an aggregated API can have are parsed to see whether they are JSON, up to this size. */
const MAX_PARSED_BYTES = 4 * 1024 * 1024;

/** One reading of a list. */
export interface Pass {
  readonly context: ExportContext;
  readonly unit: Unit;
  readonly take: Take;
  /** `plural.group` of the type. */
  readonly name: string;
  /** `apiVersion` and `kind` for objects that do not have them. */
  readonly meta: Buffer;
  /**
   * Names of this reading, if an earlier one may have exported some of its objects: only then is an object that is in the
   * archive no second one of its name.
   */
  readonly seen: DigestSet | undefined;
}

/** A reading of a list. `again`: whether an attempt before it may have written some of the objects. */
export function passOf(context: ExportContext, unit: Unit, take: Take, again: boolean): Pass {
  const { type, labelSelector } = unit;
  const laterSelector = labelSelector !== undefined && labelSelector !== context.selectors[0];
  return {
    context,
    unit,
    take,
    name: groupResource(type),
    meta: typeMeta(apiVersion(type), type.kind),
    seen: again || laterSelector ? new DigestSet() : undefined,
  };
}

/** Writes the objects of a page into the archive, without those that nobody could read from it again. */
export async function writePage(pass: Pass, page: ObjectPage): Promise<void> {
  const { context, unit, take, name, meta } = pass;
  const { writer, tally } = context;
  const { type, namespace, labelSelector } = unit;
  const kind = `${apiVersion(type)}/${type.kind}`;
  const points = POINTING.includes(name);
  for (const item of page.items) {
    const object = () => JSON.parse(item.raw.toString('utf8')) as KubeObject;
    // An API that ignores the namespace of a list returns objects that other lists return too.
    if (namespace !== undefined && item.namespace !== undefined && item.namespace !== namespace) continue;
    if (!take(item, object)) continue;
    const flaw = flawOf(type, item);
    if (flaw) {
      tally.leaveOut(name, flaw, item);
      continue;
    }
    if (!claim(pass, item)) continue;
    if (points) noteRelated(tally.related, name, object());
    if (name.includes('.')) tally.related.definitions.add(name);
    if (name === 'namespaces') noteNamespace(context, object());
    if (labelSelector !== undefined) tally.selected++;
    const json = item.typed ? [item.raw] : [meta, item.raw.subarray(1)];
    tally.note({ groupResource: name, kind }, item);
    tally.bytes += item.raw.length + (item.typed ? 0 : meta.length - 1);
    await writer.add(type, item.name, item.namespace, ...json);
  }
}

/** Reserves an object's name; false if the archive has an object of this name. A second one in the same list is left out. */
function claim({ context: { tally }, name, seen }: Pass, item: PageItem): boolean {
  const claimed = tally.claim(name, item);
  const second = seen ? !seen.add(digestOf(item)) : !claimed;
  if (second) tally.leaveOut(name, 'another object of the list has the same name', item);
  return claimed;
}

/** Why an object cannot be stored so that the reader of an archive accepts it and a restore can create it. */
function flawOf(type: ResourceType, { name, namespace, raw }: PageItem): Flaw | undefined {
  if (name === '') return 'it has no name';
  if (type.namespaced && namespace === undefined) return 'it has no namespace';
  if (!type.namespaced && namespace !== undefined)
    return 'it has a namespace, but its type is of the cluster';
  if (!hasArchivePath(type, name, namespace)) return 'its name cannot be the name of an object';
  const builtIn = isBuiltInGroup(type.group);
  if (raw.length > (builtIn ? MAX_ENTRY_BYTES - MAX_META_BYTES : MAX_PARSED_BYTES))
    return 'it is larger than any API server accepts';
  return builtIn || isJson(raw) ? undefined : 'it is not JSON';
}

function isJson(raw: Buffer): boolean {
  try {
    JSON.parse(raw.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

function noteNamespace({ tally }: ExportContext, { metadata, status }: KubeObject): void {
  tally.namespaces.add(metadata.name);
  if (metadata.deletionTimestamp || status?.phase === 'Terminating') tally.terminating.add(metadata.name);
}
