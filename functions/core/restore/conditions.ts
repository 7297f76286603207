import { type JsonRecord, recordAt, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** A condition of an object's status by its type; undefined if it has none. Fields of the object may have any type. */
export const conditionOf = (object: KubeObject, type: string): JsonRecord | undefined =>
  recordsIn(recordAt(object, 'status')?.conditions).find((condition) => condition.type === type);

export const isTrue = (condition: JsonRecord | undefined): boolean => condition?.status === 'True';

export const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

/** The longest text of a status that a report repeats. */
const LONGEST = 300;

/** The first of some values that is a text; shortened, on one line. */
export function textOr(...values: readonly unknown[]): string | undefined {
  const text = values.find((value): value is string => typeof value === 'string' && value !== '');
  return text?.replace(/\s+/g, ' ').trim().slice(0, LONGEST);
}
