import { type JsonRecord, recordAt, recordOf, recordsIn, recordsOf } from '../bytes/json-value.ts';
import { parseLossless } from '../bytes/lossless-json.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** kubectl's copy of the last applied manifest. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The last manifest that kubectl applied on the client's side; undefined if there is none that can be read. */
export function lastApplied({ metadata }: KubeObject): JsonRecord | undefined {
  const text = recordOf(metadata.annotations)?.[LAST_APPLIED];
  if (typeof text !== 'string') return undefined;
  try {
    return recordOf(parseLossless(text));
  } catch {
    return undefined;
  }
}

/**
 * The fields that clients stated, as trees of `metadata.managedFields` (FieldsV1). The API server records what is in a request
 * and not what it allocates afterwards, like node ports and addresses of Services. Entries of the status are left out.
 */
export function statedFields({ metadata }: KubeObject): JsonRecord[] {
  return recordsIn(metadata.managedFields)
    .filter((entry) => entry.subresource !== 'status')
    .flatMap((entry) => recordsOf(entry.fieldsV1));
}

/** Whether a client stated `spec.<field>` of an object: by managedFields, or with this value by kubectl's annotation. */
export function statesSpec(object: KubeObject, field: string): boolean {
  const applied = recordAt(lastApplied(object), 'spec')?.[field];
  const value = object.spec?.[field];
  if (applied !== undefined && JSON.stringify(applied) === JSON.stringify(value)) return true;
  return statedFields(object).some((tree) => recordAt(tree, 'f:spec', `f:${field}`) !== undefined);
}
