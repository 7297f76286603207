import { recordOf, setField } from './json-value.ts';

/** A JSON merge patch applied to a value: RFC 7386, section 2. Long numbers keep their digits. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  const changes = recordOf(patch);
  if (!changes) return patch;
  const merged = { ...recordOf(target) };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete merged[key];
    else setField(merged, key, mergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}
