import { isRecord, type JsonRecord } from '../bytes/json-value.ts';

/** A field has a type that no API server takes: what the object grants cannot be told. */
export class OddField extends TypeError {
  constructor(field: string, wanted: string) {
    super(`${field} is not ${wanted}`);
  }
}

const valueIn = (holder: JsonRecord, field: string): unknown =>
  Object.hasOwn(holder, field) ? (holder[field] ?? undefined) : undefined;

/** The object in a field; none of its fields if the field is absent. @throws OddField for every other type. */
export function recordField(holder: JsonRecord, field: string): JsonRecord {
  const value = valueIn(holder, field);
  if (value === undefined) return {};
  if (!isRecord(value)) throw new OddField(field, 'an object');
  return value;
}

/** The objects in a list; empty if the field is absent. @throws OddField for every other type. */
export function recordsField(holder: JsonRecord, field: string): JsonRecord[] {
  const list = listField(holder, field);
  const records = list.filter(isRecord);
  if (records.length < list.length) throw new OddField(field, 'a list of objects');
  return records;
}

/** The texts in a list; empty if the field is absent. @throws OddField for every other type. */
export function textsField(holder: JsonRecord, field: string): string[] {
  const list = listField(holder, field);
  const texts = list.filter((value): value is string => typeof value === 'string');
  if (texts.length < list.length) throw new OddField(field, 'a list of texts');
  return texts;
}

function listField(holder: JsonRecord, field: string): unknown[] {
  const value = valueIn(holder, field);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new OddField(field, 'a list');
  return value;
}

/** A text; undefined if the field is absent or empty. @throws OddField for every other type. */
export function textField(holder: JsonRecord, field: string): string | undefined {
  const value = valueIn(holder, field);
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new OddField(field, 'a text');
  return value;
}

/** Whether a field is true; false if it is absent. @throws OddField for every other type. */
export function flagField(holder: JsonRecord, field: string): boolean {
  const value = valueIn(holder, field);
  if (value === undefined) return false;
  if (typeof value !== 'boolean') throw new OddField(field, 'true or false');
  return value;
}

/** A number; undefined if the field is absent. @throws OddField for every other type. */
export function numberField(holder: JsonRecord, field: string): number | undefined {
  const value = valueIn(holder, field);
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw new OddField(field, 'a number');
  return value;
}

/** The texts of an object of texts, like labels. @throws OddField for every other type. */
export function entriesField(holder: JsonRecord, field: string): [string, string][] {
  const record = recordField(holder, field);
  return Object.keys(record).map((key): [string, string] => [key, textField(record, key) ?? '']);
}
