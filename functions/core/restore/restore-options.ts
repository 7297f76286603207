import { matchesSelector, parseSelector, type Requirement } from '../../contract/label-selector.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { fieldsOf } from '../bytes/json-value.ts';
import { isGlob, matchesGlob, namesType } from '../kubernetes/patterns.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { typeOfItem } from './restore-plan.ts';

/**
 * Whether a restore has an object: `asked` for itself, only if an object of the restore needs it (`needed`), or not at all
 * (`out`).
 */
export type Standing = 'asked' | 'needed' | 'out';

/** Which objects of a recovery point a restore selects. */
export interface Scope {
  standingOf(at: ArchivedName, object: KubeObject): Standing;
  /** Whether the restore has a part of the recovery point, and takes along what its objects need. */
  readonly isPartial: boolean;
  /** Label selectors that have matched no object that standingOf has seen. */
  unmatched(): string[];
  /** Whether the Namespaces of objects are restored along with them. */
  readonly hasNamespaces: boolean;
}

/** Cluster-scoped types without which restored objects cannot exist. They come along whatever types are asked for. */
const REQUIRED = ['customresourcedefinitions.apiextensions.k8s.io', 'persistentvolumes'];

/**
 * The scope of a restore. `namespaces`: those that are restored. `isFiltered`: whether they were asked for by name, so that
 * cluster-scoped objects come only if an object in them needs them. Parses the selectors once.
 */
export function scopeOf(options: RestoreOptions, namespaces: readonly string[], isFiltered = false): Scope {
  const texts = options.labelSelector ? [options.labelSelector] : (options.orLabelSelectors ?? []);
  const selectors = texts.map(parseSelector);
  const hits = selectors.map(() => false);
  const restored = new Set(namespaces);
  const excluded = typeCache(options.excludedResources ?? [], false);
  const included = typeCache(options.includedResources ?? [], true);
  const named = typeCache(
    (options.includedResources ?? []).filter((p) => !isGlob(p)),
    false,
  );

  function typeStanding(at: ArchivedName): Standing {
    const { groupResource } = at;
    const isNamespace = groupResource === 'namespaces';
    if (excluded(at) || !(isNamespace ? restored.has(at.name) : isIn(restored, at.namespace))) return 'out';
    if (isNamespace) return included(at) ? 'asked' : 'needed';
    if (at.namespace !== undefined) return included(at) ? 'asked' : 'out';
    const wide = options.includeClusterResources;
    if (wide !== undefined) return wide ? 'asked' : 'out';
    if (!included(at)) return REQUIRED.includes(groupResource) ? 'needed' : 'out';
    return isFiltered && !named(at) ? 'needed' : 'asked';
  }

  return {
    standingOf(at, object) {
      const standing = typeStanding(at);
      if (standing !== 'asked' || selectors.length === 0) return standing;
      return matching(selectors, object, hits) ? 'asked' : 'needed';
    },
    isPartial: isFiltered || selectors.length > 0,
    unmatched: () => texts.filter((_, i) => !hits[i]),
    hasNamespaces: !excluded({ groupResource: 'namespaces', version: 'v1', namespace: undefined, name: '' }),
  };
}

const isIn = (namespaces: ReadonlySet<string>, namespace: string | undefined): boolean =>
  namespace === undefined || namespaces.has(namespace);

/** Whether patterns name the type of an object, remembered by type; `otherwise` if there are no patterns. */
function typeCache(patterns: readonly string[], otherwise: boolean): (at: ArchivedName) => boolean {
  const known = new Map<string, boolean>();
  return (at) => {
    if (patterns.length === 0) return otherwise;
    const found = known.get(at.groupResource) ?? namesType(patterns, typeOfItem(at));
    known.set(at.groupResource, found);
    return found;
  };
}

/** Whether one of the selectors matches, and which do: `hits` is set for each. */
function matching(selectors: readonly Requirement[][], { metadata }: KubeObject, hits: boolean[]): boolean {
  const labels = fieldsOf(metadata.labels) as Record<string, string>;
  let found = false;
  for (const [i, selector] of selectors.entries())
    if (matchesSelector(selector, labels)) {
      hits[i] = true;
      found = true;
    }
  return found;
}

/** Namespaces of a recovery point that a restore asks for, by name or pattern; `unknown`: names and patterns without a match. */
export function restoredNamespaces(
  asked: readonly string[] | undefined,
  held: readonly string[],
): { namespaces: string[]; unknown: string[] } {
  if (!asked) return { namespaces: [...held], unknown: [] };
  const namespaces = held.filter((n) => asked.some((pattern) => matchesGlob(pattern, n)));
  return { namespaces, unknown: asked.filter((pattern) => !held.some((n) => matchesGlob(pattern, n))) };
}
