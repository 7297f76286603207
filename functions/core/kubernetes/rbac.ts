import { DUMP_ACCOUNT, kubernetesGroups, SYSTEM_NAMESPACE } from '../../contract/names.ts';
import { MANAGED_BY } from './run-labels.ts';

const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] };

/** Rules of a backup: read everything, run Jobs with their Secrets. No other write access. */
const BACKUP_RULES = [
  everything,
  { nonResourceURLs: ['*'], verbs: ['get'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
];

/** Rules of a restore: it recreates all objects of a recovery point, including roles. Only the restore machine uses them. */
const RESTORE_RULES = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['get'] },
];

function roleAndBinding(name: string, rules: object[], group: string): object[] {
  const metadata = { name, labels: MANAGED_BY };
  const rbac = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
      subjects: [{ apiGroup: rbac, kind: 'Group', name: group }],
    },
  ];
}

/** Jobs in this namespace may mount hostPath volumes, which stricter Pod Security levels do not allow. */
const SYSTEM_LABELS = {
  ...MANAGED_BY,
  'pod-security.kubernetes.io/enforce': 'privileged',
};

/** Additional rules for CSI snapshots: a snapshot and a claim created from it, for the duration of a Job. */
const SNAPSHOT_RULES = [
  {
    apiGroups: ['snapshot.storage.k8s.io'],
    resources: ['volumesnapshots'],
    verbs: ['create', 'delete'],
  },
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['create', 'delete'] },
];

/** For a namespace whose pods have dump commands: the service account of the Jobs, which may run commands only there. */
function commandManifests(namespace: string): object[] {
  const metadata = { name: DUMP_ACCOUNT, namespace, labels: MANAGED_BY };
  const rbac = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, ...HOOK_RULES],
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: rbac, kind: 'Role', name: DUMP_ACCOUNT },
      subjects: [{ kind: 'ServiceAccount', name: DUMP_ACCOUNT, namespace }],
    },
  ];
}

/** Optional permissions. */
export interface RbacOptions {
  /** Hooks of pods. */
  readonly hooks?: boolean;
  /** CSI snapshots of volumes. */
  readonly snapshots?: boolean;
  /** Namespaces whose pods have `holdfast.io/backup-command`. */
  readonly commands?: readonly string[];
}

/** Additional rules for hooks: run commands in containers, like `kubectl exec`. */
const HOOK_RULES = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] }];

/** Manifests to apply to a cluster once: a role for each of the two groups, and the namespace of Jobs that belong to no application. */
export function rbacManifests({ hooks, snapshots, commands = [] }: RbacOptions = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: SYSTEM_NAMESPACE, labels: SYSTEM_LABELS },
      },
      ...roleAndBinding(
        'holdfast-backup',
        [...BACKUP_RULES, ...(hooks ? HOOK_RULES : []), ...(snapshots ? SNAPSHOT_RULES : [])],
        kubernetesGroups.backup,
      ),
      ...roleAndBinding('holdfast-restore', RESTORE_RULES, kubernetesGroups.restore),
      ...commands.flatMap(commandManifests),
    ],
  };
}
