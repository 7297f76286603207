import { sameQuantity } from '../../contract/quantity.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { isRecord } from '../bytes/json-value.ts';
import { copyOf, isRawNumber } from '../bytes/lossless-json.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { BACKUP_LABEL, dropTokenVolumes, RESTORE_LABEL } from './clean.ts';

/** The fields from the root of an object to a place in it; a number is an index of a list. */
export type Place = readonly (string | number)[];

/** A place as reports show it: `spec.ports[0].nodePort`. */
export const textOf = (place: Place): string =>
  place.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');

/**
 * The places at which `live` drifts from `wanted`. Fields that exist only in `live`, like defaults of the cluster, are not
 * drift. Lists are compared element by element and must have the same length; null equals an absent field.
 */
export function drift(wanted: unknown, live: unknown, at: Place = []): Place[] {
  if (wanted === null || wanted === undefined) return live === null || live === undefined ? [] : [at];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live)) return wanted.length === 0 && live === undefined ? [] : [at];
    if (live.length !== wanted.length) return [at];
    return wanted.flatMap((w, i) => drift(w, live[i], [...at, i]));
  }
  if (typeof wanted === 'object') {
    if (isRawNumber(wanted)) return isSameNumber(wanted, live) ? [] : [at];
    const empty = Object.keys(wanted).length === 0;
    if (!isRecord(live)) return empty && live === undefined ? [] : [at];
    return Object.entries(wanted).flatMap(([k, w]) => drift(w, ownField(live, k), [...at, k]));
  }
  if (isRawNumber(live)) return isSameNumber(live, wanted) ? [] : [at];
  return Object.is(wanted, live) || isSameQuantity(wanted, live) ? [] : [at];
}

/** The paths of `drift`, as reports show them. */
export const differences = (wanted: unknown, live: unknown): string[] => drift(wanted, live).map(textOf);

/** The drift of a complete object, without restore labels, owners and generated token volumes. */
export function driftIn(
  { groupResource }: Pick<ArchivedName, 'groupResource'>,
  wanted: KubeObject,
  seen: KubeObject,
): Place[] {
  const live = groupResource === 'pods' ? copyOf(seen) : seen;
  if (groupResource === 'pods' && isRecord(live.spec)) dropTokenVolumes(live.spec);
  return drift(wanted, live).filter((place) => !isRestoreLabel(place, wanted) && !isOwner(place));
}

/** Owners are given by whoever is there: they are references of the garbage collector, not what the object says. */
const isOwner = ([root, field]: Place): boolean => root === 'metadata' && field === 'ownerReferences';

/** The paths of `driftIn`, as reports show them. */
export const differencesIn = (
  at: Pick<ArchivedName, 'groupResource'>,
  wanted: KubeObject,
  live: KubeObject,
): string[] => driftIn(at, wanted, live).map(textOf);

const OURS: readonly unknown[] = [BACKUP_LABEL, RESTORE_LABEL];

/** Restore labels are no drift, nor is their absence from an object that has no other labels. */
function isRestoreLabel([root, field, label, ...rest]: Place, { metadata }: KubeObject): boolean {
  if (root !== 'metadata' || field !== 'labels' || rest.length > 0) return false;
  return label === undefined
    ? Object.keys(metadata.labels ?? {}).every((l) => OURS.includes(l))
    : OURS.includes(label);
}

/** A value at a place; undefined where there is none. */
export function valueAt(object: unknown, place: Place): unknown {
  return place.reduce<unknown>(
    (value, step) => (value !== null && typeof value === 'object' ? ownField(value, step) : undefined),
    object,
  );
}

/** A field that JSON may name `__proto__`. */
const ownField = (value: object, step: string | number): unknown =>
  Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;

/** Compares all digits. An object that JSON.parse read has lost some: read it with `parseLossless`. */
const isSameNumber = (raw: object, other: unknown): boolean =>
  (typeof other === 'number' || isRawNumber(other)) && JSON.stringify(raw) === JSON.stringify(other);

const isSameQuantity = (a: unknown, b: unknown): boolean =>
  typeof a === 'string' && typeof b === 'string' && sameQuantity(a, b);
