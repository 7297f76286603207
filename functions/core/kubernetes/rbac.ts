import { DUMP_ACCOUNT, kubernetesGroups, SYSTEM_NAMESPACE } from '../../contract/names.ts';
import { MANAGED_BY } from './run-labels.ts';

const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] };

/** Rules of a backup: read everything, run Jobs with the Secrets they own. No other write anywhere. */
const BACKUP_RULES = [
  everything,
  { nonResourceURLs: ['*'], verbs: ['get'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
];

/** Rules of a restore: it recreates whatever a recovery point holds, roles included. Used by the restore machine alone. */
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

/** Its Jobs may mount folders of a node, which lower Pod Security levels do not allow. */
const SYSTEM_LABELS = {
  ...MANAGED_BY,
  'pod-security.kubernetes.io/enforce': 'privileged',
};

/** What CSI snapshots need beyond: a snapshot, and a claim that is made of it, which live as long as a Job. */
const SNAPSHOT_RULES = [
  {
    apiGroups: ['snapshot.storage.k8s.io'],
    resources: ['volumesnapshots'],
    verbs: ['create', 'delete'],
  },
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['create', 'delete'] },
];

/** In a namespace whose pods have commands that write dumps: the Jobs' account, which may run commands there and nowhere else. */
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

/** What a person allows beyond the least. */
export interface RbacOptions {
  /** Hooks of pods. */
  readonly hooks?: boolean;
  /** CSI snapshots of volumes. */
  readonly snapshots?: boolean;
  /** Namespaces whose pods have `holdfast.io/backup-command`. */
  readonly commands?: readonly string[];
}

/** What hooks need beyond: to run commands in containers, as `kubectl exec`. */
const HOOK_RULES = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] }];

/** What a person applies to a cluster once: two roles for two groups, and the namespace of Jobs that belong to no application. */
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
