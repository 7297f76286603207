import type { KubeObject } from '../kubernetes/resources.ts';
import { entriesOf } from './ownership.ts';

/** How the owners of an object's fields are restored, so that the next apply of their manager does not conflict. */
export interface FieldManagers {
  /** The manager in whose name the object is created; absent: Holdfast's own. */
  readonly createAs?: string;
  /** `metadata.managedFields` to write after the creation; absent: creating it in that name says it all. */
  readonly restored?: readonly unknown[];
}

/** As the API server takes a manager: 1 to 128 printable characters. */
const MANAGER = /^[\x20-\x7e]{1,128}$/;

/**
 * The field managers of an archived object. One manager that wrote the whole object by updates becomes the creator of the
 * restored one. Several of them, or a server-side apply, need `metadata.managedFields` as they were: a create gives all fields to
 * one manager. Managers of the status are left out, because it is not restored.
 */
export function fieldManagersOf(archived: KubeObject): FieldManagers {
  const all = archived.metadata.managedFields;
  const raw = Array.isArray(all) ? (all as ({ subresource?: unknown; manager?: unknown } | null)[]) : [];
  const entries = entriesOf(archived).filter((e) => e.subresource === undefined && MANAGER.test(e.manager));
  const [first] = entries;
  if (!first) return {};
  const isOne = entries.every((e) => e.manager === first.manager && e.operation === 'Update');
  if (isOne) return { createAs: first.manager };
  return { restored: raw.filter((e) => !e?.subresource && MANAGER.test(String(e?.manager ?? ''))) };
}
