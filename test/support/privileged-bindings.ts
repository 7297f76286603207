import {
  account,
  binding,
  type Cases,
  clusterRole,
  EVERY_VERB,
  group,
  LEADER,
  role,
  rule,
  SECRETS,
  user,
  wideBinding,
} from './privileged-builders.ts';

/** Bindings; those with a number are what an attacker tried. */
export const BINDINGS: Cases = {
  '1 binding to cluster-admin': { stored: wideBinding('cluster-admin') },
  '2 binding to admin in kube-system': { stored: binding('admin', 'kube-system') },
  '3 binding to admin in the cluster': { stored: wideBinding('admin') },
  '4 binding to edit in the cluster': { stored: wideBinding('edit') },
  '5 binding to holdfast-restore': { stored: wideBinding('holdfast-restore') },
  '6 binding to holdfast-backup': { stored: wideBinding('holdfast-backup') },
  '7 binding to a role of a controller': {
    stored: wideBinding('system:controller:clusterrole-aggregation-controller'),
  },
  '17 binding of system:masters': { stored: wideBinding('view', [group('system:masters')]) },
  '18 binding of everybody': { stored: wideBinding('edit', [group('system:unauthenticated')]) },
  '19 binding in holdfast': { stored: binding('edit', 'holdfast') },
  '70 binding to a role that is not there': { stored: wideBinding('super') },
  '70 binding to a role of everything': {
    stored: wideBinding('super'),
    with: [clusterRole([rule(['*'], ['*'], EVERY_VERB)], {}, 'super')],
  },
  'binding to a role that takes in one that reads Secrets': {
    stored: wideBinding('outer'),
    with: [
      clusterRole([], {}, 'outer', {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
      }),
      clusterRole([SECRETS], { labels: { a: 'b' } }, 'inner'),
    ],
  },
  'binding to a role of the name admin with no rules': {
    stored: wideBinding('admin'),
    with: [clusterRole([], {}, 'admin')],
  },
  'binding of every account': { stored: wideBinding('view', [group('system:serviceaccounts')]) },
  'binding of nodes': { stored: wideBinding('view', [group('system:nodes')]) },
  'binding of the anonymous user': { stored: binding('view', 'shop', [user('system:anonymous')]) },
  'binding to edit of an account of another namespace': { stored: binding('edit', 'shop') },
  'binding to edit of all accounts of another namespace': {
    stored: binding('edit', 'shop', [group('system:serviceaccounts:evil')]),
  },
  'binding to a Role that is not there': { stored: binding('gone', 'evil', [account()], 'Role') },
  'binding to view in kube-system': { stored: binding('view', 'kube-system') },
  'binding to a role that takes the lease of a part of the cluster': {
    stored: binding('leader', 'kube-system', [account('cert-manager', 'cert-manager')], 'Role'),
    with: [
      role(
        [rule(['coordination.k8s.io'], ['leases'], ['update'], { resourceNames: ['kube-scheduler'] })],
        'kube-system',
        'leader',
      ),
    ],
  },
  'binding to a role that takes any lease': {
    stored: binding('leader', 'kube-system', [account()], 'Role'),
    with: [role([rule(['coordination.k8s.io'], ['leases'], ['update'])], 'kube-system', 'leader')],
  },
  'binding in kube-system to a role of a path': {
    stored: binding('paths', 'kube-system', [account()]),
    with: [clusterRole([{ nonResourceURLs: ['/x'], verbs: ['create'] }], {}, 'paths')],
  },
  'binding of an account of kube-system to a role there': {
    stored: binding('reader', 'kube-system', [account('kube-system', 'x')], 'Role'),
    with: [role([SECRETS], 'kube-system', 'reader')],
  },
  'binding to edit of an account in its own namespace': {
    stored: binding('edit', 'evil'),
    through: 'the admin of a namespace has it there',
  },
  'binding to edit of an account without a namespace': {
    stored: binding('edit', 'shop', [{ kind: 'ServiceAccount', name: 'web' }]),
    through: 'the admin of a namespace has it there',
  },
  'binding to admin of a team in its own namespace': {
    stored: binding('admin', 'shop', [group('team')]),
    through: 'the admin of a namespace has it there',
  },
  'binding to view of an account of another namespace': {
    stored: binding('view', 'shop'),
    through: 'the role would be let through for the whole cluster',
  },
  'binding of a monitor to a role that lists pods': {
    stored: binding('monitor', 'shop', [account('monitoring', 'prometheus')], 'Role'),
    with: [
      role([rule([''], ['pods', 'services', 'endpoints'], ['get', 'list', 'watch'])], 'shop', 'monitor'),
    ],
    through: 'the role would be let through for the whole cluster',
  },
  'binding to view in the cluster': { stored: wideBinding('view'), through: 'it reads what is no Secret' },
  'binding to system:auth-delegator': {
    stored: wideBinding('system:auth-delegator', [account('shop', 'api')]),
    through: 'it asks who somebody is and what they may do',
  },
  'binding to a leader election in kube-system': {
    stored: binding('leader', 'kube-system', [account('cert-manager', 'cert-manager')], 'Role'),
    with: [role(LEADER, 'kube-system', 'leader')],
    through: 'it takes a lease of its own name',
  },
};
