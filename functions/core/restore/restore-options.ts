import { matchesSelector, parseSelector, type Requirement } from '../../contract/label-selector.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { matchesGlob, namesType } from '../kubernetes/patterns.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { typeOfItem } from './restore-plan.ts';

/** A predicate for the objects of a recovery point that a restore selects. Parses the selectors once. */
export function scopeOf(options: RestoreOptions, namespaces: readonly string[]): Scope {
  const texts = options.labelSelector ? [options.labelSelector] : (options.orLabelSelectors ?? []);
  const selectors = texts.map(parseSelector);
  const inBackup = new Set(namespaces);
  return (at, object) => inNamespaces(at, inBackup) && ofType(at, options) && selected(at, object, selectors);
}
export type Scope = (at: ArchivedName, object: KubeObject) => boolean;

function inNamespaces(at: ArchivedName, namespaces: ReadonlySet<string>): boolean {
  if (at.groupResource === 'namespaces') return namespaces.has(at.name);
  return at.namespace === undefined || namespaces.has(at.namespace);
}

function ofType(at: ArchivedName, options: RestoreOptions): boolean {
  const { includedResources = [], excludedResources = [], includeClusterResources } = options;
  const type = typeOfItem(at);
  if (namesType(excludedResources, type)) return false;
  // Objects in a namespace need it.
  if (at.groupResource === 'namespaces') return true;
  if (at.namespace === undefined && includeClusterResources !== undefined) return includeClusterResources;
  return includedResources.length === 0 || namesType(includedResources, type);
}

function selected(at: ArchivedName, object: KubeObject, selectors: readonly Requirement[][]): boolean {
  if (selectors.length === 0 || at.groupResource === 'namespaces') return true;
  return selectors.some((s) => matchesSelector(s, object.metadata.labels ?? {}));
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
