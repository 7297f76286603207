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

/** Groups of metrics, which are not stored and cannot be restored. */
const MEASUREMENTS = ['metrics.k8s.io', 'custom.metrics.k8s.io', 'external.metrics.k8s.io'];

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
} as const;
const RELATED_NAMES: readonly string[] = Object.values(RELATED);

/** How much of a served type a selection takes. `served`: all types, to find those that are served twice. */
export function extentOf(type: ResourceType, selection: Selection, served: ReadonlySet<string>): Extent {
  const name = groupResource(type);
  const twin = SERVED_TWICE[name];
  if (MEASUREMENTS.includes(type.group) || (twin && served.has(twin))) return 'none';
  const own = type.namespaced
    ? selection.excludedNamespaceScopedResources
    : selection.excludedClusterScopedResources;
  if (namesType([...selection.excludedResources, ...own], type)) return 'none';
  const included = type.namespaced
    ? [...selection.includedResources, ...selection.includedNamespaceScopedResources]
    : selection.includedResources;
  const asked = included.length === 0 || namesType(included, type);
  // A Namespace is included with the objects in it.
  if (type.namespaced || name === 'namespaces') return asked ? 'all' : 'none';
  const {
    includedClusterScopedResources: chosen,
    includeClusterResources: cluster = isWholeCluster(selection) || undefined,
  } = selection;
  if (chosen.length > 0 ? namesType(chosen, type) : cluster === true && asked) return 'all';
  if (cluster === false) return 'none';
  // Velero includes related objects even if their type is not included.
  return RELATED_NAMES.includes(name) ? 'related' : 'none';
}
