import type { KubeObject } from '../kubernetes/resources.ts';

/** Names of cluster-scoped objects that belong to the namespaced objects of a backup. Grows while these are read. */
export interface Related {
  readonly volumes: Set<string>;
  readonly storageClasses: Set<string>;
  readonly priorityClasses: Set<string>;
  readonly roles: Set<string>;
  /** Namespaces whose service accounts are in the backup. */
  readonly accounts: Set<string>;
  /** `plural.group` of exported types: of those that are custom, the definition. */
  readonly definitions: Set<string>;
}

export const noRelated = (): Related => ({
  volumes: new Set(),
  storageClasses: new Set(),
  priorityClasses: new Set(),
  roles: new Set(),
  accounts: new Set(),
  definitions: new Set(),
});

/** Types of which every object is parsed, because it may name others. Of all other objects the bytes are enough. */
export const POINTING = [
  'persistentvolumeclaims',
  'pods',
  'serviceaccounts',
  'rolebindings.rbac.authorization.k8s.io',
];

/** Notes what one object of a pointing type names. */
export function noteRelated(related: Related, groupResource: string, object: KubeObject): void {
  const text = (value: unknown, into: Set<string>) => {
    if (typeof value === 'string' && value !== '') into.add(value);
  };
  if (groupResource === 'persistentvolumeclaims') {
    text(object.spec?.volumeName, related.volumes);
    text(object.spec?.storageClassName, related.storageClasses);
  }
  if (groupResource === 'serviceaccounts') text(object.metadata.namespace, related.accounts);
  if (groupResource === 'pods') text(object.spec?.priorityClassName, related.priorityClasses);
  if (groupResource.startsWith('rolebindings.')) {
    const role = object.roleRef as { kind?: string; name?: string } | undefined;
    if (role?.kind === 'ClusterRole') text(role.name, related.roles);
  }
}

/** Whether a ClusterRoleBinding gives something to a service account of these namespaces. */
export function bindsInto(binding: KubeObject, namespaces: ReadonlySet<string>): boolean {
  const subjects = (binding.subjects ?? []) as { kind?: string; namespace?: string; name?: string }[];
  const group = 'system:serviceaccounts:';
  return subjects.some(
    (s) =>
      (s.kind === 'ServiceAccount' && namespaces.has(s.namespace ?? '')) ||
      (s.kind === 'Group' && s.name?.startsWith(group) && namespaces.has(s.name.slice(group.length))),
  );
}
