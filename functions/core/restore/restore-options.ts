import { matchesSelector, parseSelector, type Requirement } from '../../contract/label-selector.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { matchesGlob, namesType } from '../kubernetes/patterns.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { typeOfItem } from './restore-plan.ts';

/** Decides which objects of a recovery point a restore is about; made once, because selectors are parsed once. */
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
  // A namespace is needed by what is in it.
  if (at.groupResource === 'namespaces') return true;
  if (at.namespace === undefined && includeClusterResources !== undefined) return includeClusterResources;
  return includedResources.length === 0 || namesType(includedResources, type);
}

function selected(at: ArchivedName, object: KubeObject, selectors: readonly Requirement[][]): boolean {
  if (selectors.length === 0 || at.groupResource === 'namespaces') return true;
  return selectors.some((s) => matchesSelector(s, object.metadata.labels ?? {}));
}

/** Namespaces of a recovery point that a restore asks for, by name or pattern; and what it asks for in vain. */
export function restoredNamespaces(
  asked: readonly string[] | undefined,
  held: readonly string[],
): { namespaces: string[]; unknown: string[] } {
  if (!asked) return { namespaces: [...held], unknown: [] };
  const namespaces = held.filter((n) => asked.some((pattern) => matchesGlob(pattern, n)));
  return { namespaces, unknown: asked.filter((pattern) => !held.some((n) => matchesGlob(pattern, n))) };
}
