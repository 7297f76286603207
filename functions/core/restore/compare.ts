import { sameQuantity } from '../../contract/quantity.ts';
import type { ArchivedName } from '../backup/archive.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { BACKUP_LABEL, dropTokenVolumes, RESTORE_LABEL } from './clean.ts';

/**
 * Whether everything that `wanted` says is also in `live`: defaults and additions of the cluster do not count as a
 * difference. Returns the paths that differ. Lists are compared as wholes, element by element; a null says as much
 * as an absent field.
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
 * The same for whole objects, without what each restore and each pod has of its own. The type is told: an item of a list
 * does not say its own.
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
  // Labels of ours alone are no reason for an object without labels to differ.
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
