import { isRawNumber } from './lossless-json.ts';

/** An object of parsed JSON, whose fields may have any type. */
export type JsonRecord = Record<string, unknown>;

/** A value as an object whose fields can be read and changed; undefined for every other JSON value. */
export function recordOf(value: unknown): JsonRecord | undefined {
  if (value === null || typeof value !== 'object') return undefined;
  return Array.isArray(value) || isRawNumber(value) ? undefined : (value as JsonRecord);
}

/** The objects among values. */
export function recordsOf(...values: readonly unknown[]): JsonRecord[] {
  return values.map(recordOf).filter((record) => record !== undefined);
}

/** The objects in a list; none if the value is no list. */
export function recordsIn(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.map(recordOf).filter((record) => record !== undefined) : [];
}

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
