/**
 * Whether everything that `wanted` says is also in `live`: defaults and additions of the cluster do not count as a
 * difference. Returns the paths that differ. Lists are compared as wholes, element by element.
 */
export function differences(wanted: unknown, live: unknown, path = ''): string[] {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return [path];
    return wanted.flatMap((w, i) => differences(w, live[i], `${path}[${i}]`));
  }
  if (wanted !== null && typeof wanted === 'object') {
    if (live === null || typeof live !== 'object') return [path];
    const have = live as Record<string, unknown>;
    return Object.entries(wanted).flatMap(([k, w]) => differences(w, have[k], path ? `${path}.${k}` : k));
  }
  return Object.is(wanted, live) ? [] : [path];
}
