import type { ArchivedName } from '../../functions/core/backup/archive.ts';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import type { Stored } from './plans.ts';

/** An object of an archive with which somebody may seize a cluster, or an ordinary one that looks like it. */
export interface Case {
  readonly what: string;
  readonly stored: Stored;
  /** Other objects of the recovery point. */
  readonly with?: readonly Stored[];
  /** Why it is let through. Absent: it is held or skipped, and the plan says why. */
  readonly through?: string;
}

export const RBAC = 'rbac.authorization.k8s.io';
export const ADMISSION = 'admissionregistration.k8s.io';

export const place = (groupResource: string, name = 'x', namespace?: string): ArchivedName => ({
  groupResource,
  version: 'v1',
  name,
  namespace,
});
export const stored = (
  type: string,
  namespace: string | undefined,
  body: object,
  metadata: object = {},
  name = 'x',
): Stored => [
  place(type, name, namespace),
  { metadata: { name, ...(namespace !== undefined && { namespace }), ...metadata }, ...body } as KubeObject,
];
export const pod = (spec: object, namespace = 'evil', metadata = {}) =>
  stored(
    'pods',
    namespace,
    { kind: 'Pod', spec: { containers: [{ name: 'c', image: 'i' }], ...spec } },
    metadata,
  );
export const container = (security: object, more: object = {}) =>
  pod({ containers: [{ name: 'c', securityContext: security, ...more }] });
export const template = (type: string, spec: object, namespace = 'evil') =>
  stored(type, namespace, { spec: { template: { spec: { containers: [{ name: 'c' }], ...spec } } } });
export const clusterRole = (rules: object[], metadata: object = {}, name = 'x', more: object = {}) =>
  stored(`clusterroles.${RBAC}`, undefined, { rules, ...more }, metadata, name);
export const role = (rules: object[], namespace = 'evil', name = 'x') =>
  stored(`roles.${RBAC}`, namespace, { rules }, {}, name);
export const rule = (apiGroups: string[], resources: string[], verbs: string[], more: object = {}) => ({
  apiGroups,
  resources,
  verbs,
  ...more,
});
export const account = (namespace = 'evil', name = 'default') => ({
  kind: 'ServiceAccount',
  name,
  namespace,
});
export const group = (name: string) => ({ kind: 'Group', apiGroup: RBAC, name });
export const user = (name: string) => ({ kind: 'User', apiGroup: RBAC, name });
export const refOf = (name: string, kind = 'ClusterRole') => ({ apiGroup: RBAC, kind, name });
export const wideBinding = (name: string, subjects: object[] = [account()]) =>
  stored(`clusterrolebindings.${RBAC}`, undefined, { roleRef: refOf(name), subjects });
export const binding = (
  name: string,
  namespace: string,
  subjects: object[] = [account()],
  kind = 'ClusterRole',
) => stored(`rolebindings.${RBAC}`, namespace, { roleRef: refOf(name, kind), subjects });
export const aggregateTo = (name: string) => ({ labels: { [`${RBAC}/aggregate-to-${name}`]: 'true' } });

export const SECRETS = rule([''], ['secrets'], ['get', 'list']);
export const EVERY_VERB = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
export const LEADER = [
  rule(['coordination.k8s.io'], ['leases'], ['create']),
  rule(['coordination.k8s.io'], ['leases'], ['get', 'update', 'patch'], {
    resourceNames: ['cert-manager-controller'],
  }),
];

/** Cases by what they are. */
export type Cases = Record<string, Omit<Case, 'what'>>;
