import { isRawNumber } from './lossless-json.ts';

/** An object of parsed JSON, whose fields may have any type. */
export type JsonRecord = Record<string, unknown>;

/** Whether a value is an object of parsed JSON: no list, and no number with all its digits. */
export const isRecord = (value: unknown): value is JsonRecord =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && !isRawNumber(value);

/** A value as an object whose fields can be read and changed; undefined for every other JSON value. */
export function recordOf(value: unknown): JsonRecord | undefined {
  return isRecord(value) ? value : undefined;
}

/** The objects among values. */
export function recordsOf(...values: readonly unknown[]): JsonRecord[] {
  return values.map(recordOf).filter((record) => record !== undefined);
}

/** The objects in a list; none if the value is no list. */
export function recordsIn(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.map(recordOf).filter((record) => record !== undefined) : [];
}

/** The fields of a value that should be an object; none if it is something else. */
export const fieldsOf = (value: unknown): JsonRecord => recordOf(value) ?? {};

/** A text that is not empty; undefined for every other value. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The texts in a list; none if the value is no list. */
export const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : [];

/** The object below a path of fields, whatever the types on the way are. */
export function recordAt(value: unknown, ...path: readonly string[]): JsonRecord | undefined {
  return path.reduce<JsonRecord | undefined>(
    (record, field) => (record && Object.hasOwn(record, field) ? recordOf(record[field]) : undefined),
    recordOf(value),
  );
}

/** Sets a field of its own, also one with a name like `__proto__`. */
export function setField(record: object, field: string, value: unknown): void {
  Object.defineProperty(record, field, { value, writable: true, enumerable: true, configurable: true });
}

/** Whether two JSON values are equal. A long number equals its rounded value too: JSON without digits has no other. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (isRawNumber(a) || isRawNumber(b)) return isSameNumber(a, b);
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => isSameJson(v, b[i]))
    );
  const [x, y] = [recordOf(a), recordOf(b)];
  if (!x || !y) return a === b;
  const fields = Object.keys(x);
  return (
    fields.length === Object.keys(y).length &&
    fields.every((field) => Object.hasOwn(y, field) && isSameJson(x[field], y[field]))
  );
}

function isSameNumber(a: unknown, b: unknown): boolean {
  if (isRawNumber(a) && isRawNumber(b)) return JSON.stringify(a) === JSON.stringify(b);
  const numberOf = (value: unknown) => (isRawNumber(value) ? Number(JSON.stringify(value)) : value);
  return numberOf(a) === numberOf(b);
}
