/** JavaScript rounds only numbers with at least sixteen digits. */
const LONG_NUMBER = /\d{16}/;

/**
 * Parses JSON so that writing it again gives the same numbers: integers beyond 2^53 keep their digits
 * (JSON.rawJSON). Without long numbers this is JSON.parse.
 */
export function parseLossless(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text) as unknown;
  return JSON.parse(text, keepNumber as (key: string, value: unknown) => unknown) as unknown;
}

function keepNumber(_key: string, value: unknown, context: { source?: string }): unknown {
  const { source } = context;
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  // Number.prototype.toString writes 1.0 as 1, which is the same number and no loss.
  return /^-?\d+$/.test(source) ? raw(source) : value;
}

/** JSON.rawJSON is in Node since 22, and not yet in TypeScript's library. */
const raw = (source: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);

/** Whether a value is a number with all its digits, from `parseLossless`. */
export const isRawNumber = (value: unknown): value is object =>
  (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);

/** A deep copy of parsed JSON that keeps long numbers, which structuredClone does not. */
export function copyOf<T>(value: T): T {
  if (value === null || typeof value !== 'object' || isRawNumber(value)) return value;
  if (Array.isArray(value)) return (value as unknown[]).map(copyOf) as T;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)])) as T;
}
