import type { Selection } from '../../contract/settings.ts';
import { isGlob, matchesGlob, namesType } from '../kubernetes/patterns.ts';
import { groupResource, type ResourceType } from '../kubernetes/resources.ts';

/** How much of a type is backed up. `related`: only objects that others in the backup refer to. */
export type Extent = 'all' | 'related' | 'none';

/** Namespaces that a selection includes, sorted, and names in it that do not exist. */
export function selectNamespaces(
  existing: readonly string[],
  selection: Pick<Selection, 'namespaces' | 'excludedNamespaces'>,
): { included: string[]; missing: string[] } {
  const excluded = (name: string) => selection.excludedNamespaces.some((p) => matchesGlob(p, name));
  const included = existing.filter(
    (name) => selection.namespaces.some((p) => matchesGlob(p, name)) && !excluded(name),
  );
  const missing = selection.namespaces.filter((p) => !isGlob(p) && !existing.includes(p) && !excluded(p));
  return { included: included.sort(), missing };
}

/** Whether a selection includes every namespace. */
function isWholeCluster(selection: Pick<Selection, 'namespaces' | 'excludedNamespaces'>): boolean {
  return selection.namespaces.includes('*') && selection.excludedNamespaces.length === 0;
}

/** Groups of metrics, which are not stored and cannot be restored: also custom.metrics.k8s.io, external.metrics.k8s.io. */
const MEASUREMENTS = /(^|\.)metrics\.k8s\.io$/;

/** Types that are served under two names -> the name that is backed up. */
const SERVED_TWICE: Record<string, string> = {
  'events.events.k8s.io': 'events',
  'deployments.extensions': 'deployments.apps',
  'daemonsets.extensions': 'daemonsets.apps',
  'replicasets.extensions': 'replicasets.apps',
  'networkpolicies.extensions': 'networkpolicies.networking.k8s.io',
  'ingresses.extensions': 'ingresses.networking.k8s.io',
};

/** Cluster-scoped types of which a backup includes the objects that its namespaced objects refer to. */
export const RELATED = {
  volumes: 'persistentvolumes',
  definitions: 'customresourcedefinitions.apiextensions.k8s.io',
  roles: 'clusterroles.rbac.authorization.k8s.io',
  bindings: 'clusterrolebindings.rbac.authorization.k8s.io',
  storageClasses: 'storageclasses.storage.k8s.io',
  priorityClasses: 'priorityclasses.scheduling.k8s.io',
  ingressClasses: 'ingressclasses.networking.k8s.io',
  runtimeClasses: 'runtimeclasses.node.k8s.io',
  snapshotClasses: 'volumesnapshotclasses.snapshot.storage.k8s.io',
} as const;
const RELATED_NAMES: readonly string[] = Object.values(RELATED);

/** How much of a served type a selection takes. `served`: all types, to find those that are served twice. */
export function extentOf(type: ResourceType, selection: Selection, served: ReadonlySet<string>): Extent {
  const name = groupResource(type);
  const twin = SERVED_TWICE[name];
  if (MEASUREMENTS.test(type.group) || (twin && served.has(twin))) return 'none';
  const own = type.namespaced
    ? selection.excludedNamespaceScopedResources
    : selection.excludedClusterScopedResources;
  if (namesType([...selection.excludedResources, ...own], type)) return 'none';
  const included = type.namespaced
    ? [...selection.includedResources, ...selection.includedNamespaceScopedResources]
    : selection.includedResources;
  // A Namespace is included with the objects in it, whatever their types: without it they cannot be restored.
  if (name === 'namespaces') return 'all';
  const asked = included.length === 0 || namesType(included, type);
  if (type.namespaced) return asked ? 'all' : 'none';
  const {
    includedClusterScopedResources: chosen,
    includeClusterResources: cluster = isWholeCluster(selection) || undefined,
  } = selection;
  if (chosen.length > 0 ? namesType(chosen, type) : cluster === true && asked) return 'all';
  if (cluster === false) return 'none';
  // Velero includes related objects even if their type is not included.
  return RELATED_NAMES.includes(name) ? 'related' : 'none';
}

/**
 * Whether a selection may take anything of a group whose types are not known, because it cannot be read. `known`: the types
 * that could be read. A pattern with a dot names a group; a plural that a readable group has does not mean this one.
 */
export function mayTakeOf(
  group: string,
  selection: Selection,
  known: readonly Pick<ResourceType, 'resource'>[],
): boolean {
  if (MEASUREMENTS.test(group)) return false;
  const { excludedResources, excludedNamespaceScopedResources, excludedClusterScopedResources } = selection;
  const all = (patterns: readonly string[]) => patterns.some((p) => matchesGlob(p, `${ANY_PLURAL}.${group}`));
  if (all(excludedResources)) return false;
  // Nobody knows whether its types are namespaced.
  if (all(excludedNamespaceScopedResources) && all(excludedClusterScopedResources)) return false;
  const { includedResources, includedNamespaceScopedResources, includedClusterScopedResources } = selection;
  const namespaced = [...includedResources, ...includedNamespaceScopedResources];
  if (namespaced.length === 0) return true;
  const plurals = new Set(known.map((type) => type.resource));
  return [...namespaced, ...includedClusterScopedResources].some((p) => mayName(p, group, plurals));
}

/** A plural that no pattern spells out: only wildcards match it. */
const ANY_PLURAL = '\u0001'.repeat(64);

/** Whether a pattern may name a type of a group of which no type is known. `plurals`: those of other groups. */
function mayName(pattern: string, group: string, plurals: ReadonlySet<string>): boolean {
  if (!pattern.includes('.')) return isGlob(pattern) || !plurals.has(pattern);
  // The pattern is cut where the plural ends: at a dot, or within what a wildcard stands for.
  return [...pattern].some((char, i) => {
    const plural = pattern.slice(0, char === '*' ? i + 1 : i);
    return plural !== '' && !plural.includes('.') && matchesGlob(pattern.slice(i), `.${group}`);
  });
}

/**
 * Patterns of a selection's included types that name no served type, each as a sentence. `hidden`: groups that could not be
 * read, of which a pattern may name a type.
 */
export function namingNothing(
  selection: Selection,
  types: readonly ResourceType[],
  hidden: readonly string[],
): string[] {
  const { includedResources, includedNamespaceScopedResources, includedClusterScopedResources } = selection;
  const lists = { includedResources, includedNamespaceScopedResources, includedClusterScopedResources };
  const plurals = new Set(types.map((type) => type.resource));
  return Object.entries(lists).flatMap(([field, patterns]) =>
    patterns
      .filter(
        (p) => !types.some((type) => namesType([p], type)) && !hidden.some((g) => mayName(p, g, plurals)),
      )
      .map((pattern) => {
        const meant = types.find((type) => type.kind.toLowerCase() === pattern.toLowerCase());
        const hint = meant ? `: write ${groupResource(meant)}` : '';
        return `${field}: the cluster has no type ${pattern}${hint}`;
      }),
  );
}
