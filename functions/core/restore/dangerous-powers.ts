import { FLUX, HELD_TYPES } from './dangerous-types.ts';

/** Something that a role lets its holders do, and with which they can seize the cluster. */
export interface Power {
  /** What the holder can do, after "it lets … "; `{of}` is `the cluster` or a namespace. */
  readonly can: string;
  readonly groups: readonly string[];
  /** Plurals with their subresource, or ANY. */
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /**
   * It is held in every namespace. The others are what the admin of a namespace has there anyway: they are held for the
   * whole cluster, in a system namespace, and for an account of another namespace.
   */
  readonly anywhere?: true;
  /** The verb alone counts, whatever it is said of. */
  readonly byVerb?: true;
  /** It is none if all resourceNames are foreign to this prefix. */
  readonly onlyNames?: string;
}

/** Every resource of a group. */
export const ANY = 'any resource';

const RBAC = 'rbac.authorization.k8s.io';
const CERTIFICATES = 'certificates.k8s.io';
const WRITE = ['create', 'update', 'patch'];
const READ = ['get', 'list', 'watch'];
const ALL = [...READ, ...WRITE, 'delete', 'deletecollection'];

/** Who may write objects that are held whatever is in them has what they would give, and who may delete them has no guard. */
export const HELD_POWERS: readonly Power[] = [...HELD_TYPES, ...FLUX].map(({ group, resources = [ANY] }) => ({
  can: `write ${resources[0] === ANY ? 'everything' : resources.join(', ')} of ${group}`,
  groups: [group],
  resources,
  verbs: [...WRITE, 'delete', 'deletecollection'],
}));

/** Also the power of `cluster-admin`. */
export const EVERYTHING: Power = {
  can: 'change everything of {of}',
  groups: ['*'],
  resources: ['*'],
  verbs: [...WRITE, 'delete', 'deletecollection'],
  anywhere: true,
};
const READ_SECRETS: Power = {
  can: 'read every Secret of {of}',
  groups: [''],
  resources: ['secrets'],
  verbs: READ,
};
const CONNECT: Power = {
  can: 'run commands in every pod of {of}, or connect to it',
  groups: [''],
  resources: [
    'pods/exec',
    'pods/attach',
    'pods/portforward',
    'pods/proxy',
    'pods/ephemeralcontainers',
    'services/proxy',
  ],
  verbs: ALL,
};
const RUN_PODS: Power = {
  can: 'run pods as any account of {of}',
  groups: ['', 'apps', 'batch', 'extensions'],
  resources: [
    'pods',
    'replicationcontrollers',
    'deployments',
    'replicasets',
    'statefulsets',
    'daemonsets',
    'jobs',
    'cronjobs',
  ],
  verbs: WRITE,
};

/** What seizes a cluster. The first that a role has is named in its reason. */
export const POWERS: readonly Power[] = [
  EVERYTHING,
  {
    can: 'give rights that they do not have themselves (escalate)',
    groups: [RBAC],
    resources: ['roles', 'clusterroles'],
    verbs: ['escalate'],
    anywhere: true,
    byVerb: true,
  },
  {
    can: 'give roles that they do not have themselves (bind)',
    groups: [RBAC],
    resources: ['roles', 'clusterroles'],
    verbs: ['bind'],
    anywhere: true,
    byVerb: true,
  },
  {
    can: 'act as other users, groups and accounts (impersonate)',
    groups: ['', 'authentication.k8s.io'],
    resources: ['users', 'groups', 'serviceaccounts', 'uids', 'userextras', 'userextras/*'],
    verbs: ['impersonate'],
    anywhere: true,
    byVerb: true,
  },
  {
    can: 'approve or sign certificates of the cluster',
    groups: [CERTIFICATES],
    resources: ['signers'],
    verbs: ['approve', 'sign', 'attest'],
    onlyNames: 'kubernetes.io/',
  },
  {
    can: 'approve or sign certificates of the cluster',
    groups: [CERTIFICATES],
    resources: [
      'certificatesigningrequests/approval',
      'certificatesigningrequests/status',
      'certificatesigningrequests/nodeclient',
      'certificatesigningrequests/selfnodeclient',
    ],
    verbs: WRITE,
  },
  {
    can: 'get a token of every account of {of}',
    groups: [''],
    resources: ['serviceaccounts/token'],
    verbs: ['create'],
  },
  READ_SECRETS,
  { can: 'write Secrets of {of}', groups: [''], resources: ['secrets'], verbs: WRITE },
  {
    can: 'reach every pod through the kubelet of its node',
    groups: [''],
    resources: [
      'nodes/proxy',
      'nodes/exec',
      'nodes/run',
      'nodes/log',
      'nodes/checkpoint',
      'nodes/portforward',
    ],
    verbs: ALL,
  },
  CONNECT,
  {
    can: 'write roles and bindings of {of}',
    groups: [RBAC],
    resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
    verbs: WRITE,
  },
  ...HELD_POWERS,
  {
    can: 'define types of the API',
    groups: ['apiextensions.k8s.io'],
    resources: ['customresourcedefinitions', 'customresourcedefinitions/status'],
    verbs: WRITE,
  },
  { can: 'change nodes', groups: [''], resources: ['nodes', 'nodes/status'], verbs: WRITE },
  RUN_PODS,
  {
    can: 'make volumes of paths of nodes',
    groups: [''],
    resources: ['persistentvolumes'],
    verbs: WRITE,
  },
  {
    can: 'write every ConfigMap of {of}, also those that configure it',
    groups: [''],
    resources: ['configmaps'],
    verbs: WRITE,
  },
  {
    can: 'direct the traffic of every Service of {of}',
    groups: ['', 'discovery.k8s.io'],
    resources: ['endpoints', 'endpointslices', 'services/status'],
    verbs: WRITE,
  },
  {
    can: 'lower the Pod Security level of namespaces',
    groups: [''],
    resources: ['namespaces', 'namespaces/finalize'],
    verbs: WRITE,
  },
  {
    can: 'use a security context of nodes',
    groups: ['policy', 'extensions', 'security.openshift.io'],
    resources: ['podsecuritypolicies', 'securitycontextconstraints'],
    verbs: ['use'],
  },
];

/** Paths of the API server that are no objects, and that show or change the API server itself. */
export const SERVER_PATHS: readonly string[] = ['/logs', '/debug/pprof', '/debug/flags/v'];
export const SERVER: Power = {
  can: 'read the logs and the memory of the API server',
  groups: [],
  resources: [],
  verbs: [],
};

/** A role of Kubernetes itself that is not among the harmless ones. */
export const OF_KUBERNETES: Power = {
  can: 'do what a part of Kubernetes itself may do',
  groups: [],
  resources: [],
  verbs: [],
  anywhere: true,
};
export const OF_HOLDFAST: Power = {
  can: 'act as Holdfast, which reads everything and restores everything',
  groups: [],
  resources: [],
  verbs: [],
  anywhere: true,
};

/** What the built-in roles let their holders do, by name: whatever the recovery point says, the cluster has its own. */
export const BUILT_IN: ReadonlyMap<string, readonly Power[]> = new Map<string, readonly Power[]>([
  ['cluster-admin', [EVERYTHING]],
  ['admin', [READ_SECRETS, CONNECT, RUN_PODS]],
  ['edit', [READ_SECRETS, CONNECT, RUN_PODS]],
  ['view', []],
  ['system:auth-delegator', []],
  ['system:basic-user', []],
  ['system:discovery', []],
  ['system:public-info-viewer', []],
  ['system:service-account-issuer-discovery', []],
  ['system:monitoring', []],
  ['system:kube-dns', []],
  ['system:aggregate-to-view', []],
]);
