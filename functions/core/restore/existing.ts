import type { ArchivedName } from '../backup/archive.ts';
import { isRecord, setField } from '../bytes/json-value.ts';
import { copyOf } from '../bytes/lossless-json.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { BACKUP_LABEL, cleanForRestore, RESTORE_LABEL } from './clean.ts';
import { drift, driftIn, type Place, textOf, valueAt } from './compare.ts';
import { entriesOf, isBusinessOfController, writersOf } from './ownership.ts';

/** An object that exists, beside what a restore would send and what the archive holds. */
export interface Existing {
  readonly at: Pick<ArchivedName, 'groupResource'>;
  /** As `transform` returns it. */
  readonly wanted: KubeObject;
  /** The archived object before the transformation. Its `managedFields` tell who wrote what. */
  readonly archived: KubeObject;
  /** With `apiVersion` and `kind`. */
  readonly live: KubeObject;
}

/** How an existing object differs from what a restore would make of it. */
export interface ExistingDrift {
  /** Places whose value is another one, or is missing. */
  readonly changed: readonly Place[];
  /** Places that only the existing object has: somebody added them. */
  readonly added: readonly Place[];
  /** Places that differ and are a controller's business. They neither count nor are they changed. */
  readonly excused: readonly Place[];
}

/**
 * Compares an existing object with what a restore would make of it, in both directions. Fields that the cluster adds to every
 * object, defaults, and what controllers write on the objects of others do not count.
 */
export function driftOfExisting(existing: Existing): ExistingDrift {
  const { at, wanted, archived, live } = existing;
  const excused: Place[] = [];
  const counts = (place: Place) => {
    const isExcused = isBusinessOfController(archived, live, textOf(place));
    if (isExcused) excused.push(place);
    return !isExcused;
  };
  const changed = driftIn(at, wanted, live).filter(counts);
  const added = onlyIn(existing)
    .filter((place) => !isDefault(live, place))
    .filter(counts);
  return { changed, added, excused };
}

/** Places of the existing object, without what the cluster adds, that are empty in the wanted one. */
function onlyIn({ at, wanted, live }: Existing): Place[] {
  const cleaned = cleanForRestore(at, copyOf(live), { backup: '', restore: '' });
  for (const label of [BACKUP_LABEL, RESTORE_LABEL]) delete cleaned.metadata.labels?.[label];
  return drift(cleaned, wanted).filter(
    (place) => isEmpty(valueAt(wanted, place)) && !isEmpty(valueAt(cleaned, place)),
  );
}

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.values(value).every(isEmpty));

/** Fields without defaults: whatever is in them, somebody wrote. */
const CONTENT = new Set(['data', 'binaryData', 'stringData', 'rules', 'subjects', 'webhooks', 'metadata']);

/** Whether nobody wrote a field of a tracked object: the API server's default, of a version that the archive does not know. */
function isDefault(live: KubeObject, place: Place): boolean {
  if (entriesOf(live).length === 0 || CONTENT.has(String(place[0]))) return false;
  return hasFormOfDefault(valueAt(live, place)) && writersOf(live, textOf(place)).length === 0;
}

/** Defaults are values or objects of values, not lists of objects. */
function hasFormOfDefault(value: unknown): boolean {
  if (Array.isArray(value)) return value.every((v) => v === null || typeof v !== 'object');
  return !isRecord(value) || Object.values(value).every(hasFormOfDefault);
}

/**
 * The merge patch that makes an existing object as wanted: it sets what changed, removes what was added, and leaves alone what
 * is excused. It fails with a conflict if the object has been changed since it was read.
 */
export function changeToward(
  { wanted, live }: Pick<Existing, 'wanted' | 'live'>,
  { changed, added, excused }: ExistingDrift,
): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const target = copyOf(wanted);
  for (const place of excused) {
    const value = valueAt(live, place);
    if (value !== undefined && place.some((step) => typeof step === 'number')) put(target, place, value);
  }
  for (const place of [...changed, ...added]) {
    // A merge patch replaces lists as a whole.
    const index = place.findIndex((step) => typeof step === 'number');
    const field = index < 0 ? place : place.slice(0, index);
    const value = valueAt(target, field);
    put(patch, field, value === undefined ? null : replacing(value, valueAt(live, field)));
  }
  const { resourceVersion } = live.metadata;
  if (resourceVersion !== undefined) put(patch, ['metadata', 'resourceVersion'], resourceVersion);
  return patch;
}

/** A merge patch that replaces a value: fields of an object that the new one does not have are removed. */
function replacing(value: unknown, live: unknown): unknown {
  if (!isRecord(value) || !isRecord(live)) return value;
  const gone = Object.keys(live).filter((key) => !(key in value));
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...value };
}

/** Sets a value at a place. Only own fields are followed: an archive may name a field `__proto__`. */
function put(root: object, place: Place, value: unknown): void {
  let node = root;
  for (const step of place.slice(0, -1)) {
    const next = valueAt(node, [step]);
    const inner = next !== null && typeof next === 'object' ? next : {};
    if (inner !== next) setField(node, String(step), inner);
    node = inner;
  }
  const last = place.at(-1);
  if (last !== undefined) setField(node, String(last), value);
}
