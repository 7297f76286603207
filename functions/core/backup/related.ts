import type { KubeObject } from '../kubernetes/resources.ts';

/** Names of cluster-scoped objects that the namespaced objects of a backup refer to. Filled while these are read. */
export interface Related {
  readonly volumes: Set<string>;
  readonly storageClasses: Set<string>;
  readonly priorityClasses: Set<string>;
  readonly ingressClasses: Set<string>;
  readonly runtimeClasses: Set<string>;
  readonly snapshotClasses: Set<string>;
  readonly roles: Set<string>;
  /** Namespaces whose service accounts are in the backup. */
  readonly accounts: Set<string>;
  /** `plural.group` of exported types: for custom types, the name of the CustomResourceDefinition. */
  readonly definitions: Set<string>;
}

export const noRelated = (): Related => ({
  volumes: new Set(),
  storageClasses: new Set(),
  priorityClasses: new Set(),
  ingressClasses: new Set(),
  runtimeClasses: new Set(),
  snapshotClasses: new Set(),
  roles: new Set(),
  accounts: new Set(),
  definitions: new Set(),
});

/** Types whose objects are parsed, because they may refer to others. All other objects are not parsed. */
export const POINTING = [
  'persistentvolumeclaims',
  'pods',
  'serviceaccounts',
  'rolebindings.rbac.authorization.k8s.io',
  'ingresses.networking.k8s.io',
  'volumesnapshots.snapshot.storage.k8s.io',
];

/** Adds the names that an object of one of these types refers to. */
export function noteRelated(related: Related, groupResource: string, object: KubeObject): void {
  const text = (value: unknown, into: Set<string>) => {
    if (typeof value === 'string' && value !== '') into.add(value);
  };
  if (groupResource === 'persistentvolumeclaims') {
    text(object.spec?.volumeName, related.volumes);
    text(object.spec?.storageClassName, related.storageClasses);
  }
  if (groupResource === 'serviceaccounts') text(object.metadata.namespace, related.accounts);
  if (groupResource === 'pods') {
    text(object.spec?.priorityClassName, related.priorityClasses);
    text(object.spec?.runtimeClassName, related.runtimeClasses);
  }
  if (groupResource.startsWith('ingresses.')) text(object.spec?.ingressClassName, related.ingressClasses);
  if (groupResource.startsWith('volumesnapshots.'))
    text(object.spec?.volumeSnapshotClassName, related.snapshotClasses);
  if (groupResource.startsWith('rolebindings.')) {
    const role = object.roleRef as { kind?: string; name?: string } | undefined;
    if (role?.kind === 'ClusterRole') text(role.name, related.roles);
  }
}

/** Whether a ClusterRoleBinding has a service account of these namespaces as subject. */
export function bindsInto(binding: KubeObject, namespaces: ReadonlySet<string>): boolean {
  const subjects = (binding.subjects ?? []) as { kind?: string; namespace?: string; name?: string }[];
  const group = 'system:serviceaccounts:';
  return subjects.some(
    (s) =>
      (s.kind === 'ServiceAccount' && namespaces.has(s.namespace ?? '')) ||
      (s.kind === 'Group' && s.name?.startsWith(group) && namespaces.has(s.name.slice(group.length))),
  );
}
