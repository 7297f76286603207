import { DUMP_ACCOUNT, kubernetesGroups, SYSTEM_NAMESPACE } from '../../contract/names.ts';
import { MANAGED_BY } from './run-labels.ts';
import { systemNamespaceManifests } from './system-namespace.ts';

const RBAC = 'rbac.authorization.k8s.io';

/** Reads everything, in the whole cluster. */
const READ_RULES = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] },
  { nonResourceURLs: ['*'], verbs: ['get'] },
];

/** Runs Jobs with their Secrets: all that a backup writes. */
const JOB_RULES = [
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
];

/** Additional rules for CSI snapshots: a snapshot and a claim created from it, for the duration of a Job. */
const SNAPSHOT_RULES = [
  {
    apiGroups: ['snapshot.storage.k8s.io'],
    resources: ['volumesnapshots'],
    verbs: ['create', 'delete'],
  },
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['create', 'delete'] },
];

/** Additional rules for hooks: run commands in containers, like `kubectl exec`. */
const HOOK_RULES = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] }];

/** Rules of a restore: it recreates all objects of a recovery point, including roles. Only the restore machine uses them. */
const RESTORE_RULES = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['get'] },
];

type Subject = { readonly kind: string; readonly name: string; readonly [field: string]: string };
const group = (name: string): Subject => ({ apiGroup: RBAC, kind: 'Group', name });

/** A role and its binding to one subject: of one namespace, or of the cluster. */
function roleAndBinding(name: string, rules: object[], subject: Subject, namespace?: string): object[] {
  const kind = namespace === undefined ? 'ClusterRole' : 'Role';
  const metadata = { name, ...(namespace !== undefined && { namespace }), labels: MANAGED_BY };
  return [
    { apiVersion: `${RBAC}/v1`, kind, metadata, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: RBAC, kind, name },
      subjects: [subject],
    },
  ];
}

/** For a namespace whose pods have dump commands: the service account of the Jobs, which may run commands only there. */
function commandManifests(namespace: string): object[] {
  const metadata = { name: DUMP_ACCOUNT, namespace, labels: MANAGED_BY };
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, ...HOOK_RULES];
  const account = { kind: 'ServiceAccount', name: DUMP_ACCOUNT, namespace };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    ...roleAndBinding(DUMP_ACCOUNT, rules, account, namespace),
  ];
}

/** The role of backups. With namespaces, it may write only in these, and in Holdfast's own. */
function backupManifests({ hooks, snapshots, namespaces }: RbacOptions): object[] {
  const name = 'holdfast-backup';
  const subject = group(kubernetesGroups.backup);
  const writes = [...JOB_RULES, ...(hooks ? HOOK_RULES : []), ...(snapshots ? SNAPSHOT_RULES : [])];
  if (!namespaces) return roleAndBinding(name, [...READ_RULES, ...writes], subject);
  return [
    ...roleAndBinding(name, READ_RULES, subject),
    ...roleAndBinding(name, JOB_RULES, subject, SYSTEM_NAMESPACE),
    ...[...new Set(namespaces)]
      .filter((namespace) => namespace !== SYSTEM_NAMESPACE)
      .flatMap((namespace) => roleAndBinding(name, writes, subject, namespace)),
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
  /** The only namespaces with volumes that backups read; absent: every namespace. */
  readonly namespaces?: readonly string[];
  /** Further TCP ports to which pods in Holdfast's namespace may connect. */
  readonly ports?: readonly number[];
}

/** Manifests to apply to a cluster once: a role for each of the two groups, and the namespace of Jobs that belong to no application. */
export function rbacManifests(options: RbacOptions = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      ...systemNamespaceManifests(options.ports),
      ...backupManifests(options),
      ...roleAndBinding('holdfast-restore', RESTORE_RULES, group(kubernetesGroups.restore)),
      ...(options.commands ?? []).flatMap(commandManifests),
    ],
  };
}
