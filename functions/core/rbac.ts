import { kubernetesGroups, SYSTEM_NAMESPACE } from '../contract/names.ts';

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
  const metadata = { name, labels: { 'app.kubernetes.io/managed-by': 'holdfast' } };
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
  'app.kubernetes.io/managed-by': 'holdfast',
  'pod-security.kubernetes.io/enforce': 'privileged',
};

/** What hooks need beyond: to run commands in containers, as `kubectl exec`. */
const HOOK_RULES = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] }];

/** What a person applies to a cluster once: two roles for two groups, and the namespace of Jobs that belong to no application. */
export function rbacManifests({ hooks = false }: { readonly hooks?: boolean } = {}): object {
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
        [...BACKUP_RULES, ...(hooks ? HOOK_RULES : [])],
        kubernetesGroups.backup,
      ),
      ...roleAndBinding('holdfast-restore', RESTORE_RULES, kubernetesGroups.restore),
    ],
  };
}
