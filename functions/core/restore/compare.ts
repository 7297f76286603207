import { sameQuantity } from '../../contract/quantity.ts';
import type { ArchivedName } from '../backup/archive.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { BACKUP_LABEL, dropTokenVolumes, RESTORE_LABEL } from './clean.ts';

/**
 * The paths at which `live` drifts from `wanted`. Fields that exist only in `live`, like defaults of the cluster, are not
 * drift. Lists are compared element by element and must have the same length; null equals an absent field.
 */
export function differences(wanted: unknown, live: unknown, path = ''): string[] {
  if (wanted === null || wanted === undefined) return live === null || live === undefined ? [] : [path];
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live)) return wanted.length === 0 && live === undefined ? [] : [path];
    if (live.length !== wanted.length) return [path];
    return wanted.flatMap((w, i) => differences(w, live[i], `${path}[${i}]`));
  }
  if (typeof wanted === 'object') {
    if (isRawNumber(wanted)) return numberIn(wanted) === live ? [] : [path];
    const empty = Object.keys(wanted).length === 0;
    if (live === null || typeof live !== 'object' || Array.isArray(live))
      return empty && live === undefined ? [] : [path];
    const have = live as Record<string, unknown>;
    return Object.entries(wanted).flatMap(([k, w]) => differences(w, have[k], path ? `${path}.${k}` : k));
  }
  return Object.is(wanted, live) || isSameQuantity(wanted, live) ? [] : [path];
}

/**
 * The drift of a complete object, without restore labels and generated token volumes. The type is a parameter, because
 * items of a list do not contain their kind.
 */
export function differencesIn(
  { groupResource }: Pick<ArchivedName, 'groupResource'>,
  wanted: KubeObject,
  seen: KubeObject,
): string[] {
  const live = structuredClone(seen);
  if (groupResource === 'pods' && live.spec) dropTokenVolumes(live.spec);
  const ours = [BACKUP_LABEL, RESTORE_LABEL].map((label) => `metadata.labels.${label}`);
  const without = differences(wanted, live).filter((path) => !ours.includes(path));
  // Restore labels on an object without other labels are not drift.
  const alone = Object.keys(wanted.metadata.labels ?? {}).every(
    (l) => l === BACKUP_LABEL || l === RESTORE_LABEL,
  );
  return alone ? without.filter((path) => path !== 'metadata.labels') : without;
}

const isRawNumber = (value: object): boolean =>
  (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);
const numberIn = (value: object): number => Number(JSON.stringify(value));

const isSameQuantity = (a: unknown, b: unknown): boolean =>
  typeof a === 'string' && typeof b === 'string' && sameQuantity(a, b);
