import {
  ADMISSION,
  aggregateTo,
  type Cases,
  clusterRole,
  EVERY_VERB,
  RBAC,
  role,
  rule,
  SECRETS,
} from './privileged-builders.ts';

/** Roles; those with a number are what an attacker tried. */
export const ROLES: Cases = {
  '8 role that is aggregated to view': {
    stored: clusterRole(
      [rule([''], ['secrets', 'pods/exec'], ['get', 'list', 'create'])],
      aggregateTo('view'),
    ),
  },
  '9 role of every verb in groups that are spelt out': {
    stored: clusterRole([rule(['', 'apps', 'batch', RBAC], ['*'], ['*'])]),
  },
  '10 role of every verb on roles': {
    stored: clusterRole([rule([RBAC], ['clusterroles', 'clusterrolebindings'], ['*'])]),
  },
  '11 role of spelt-out verbs on everything': { stored: clusterRole([rule(['*'], ['*'], EVERY_VERB)]) },
  '12 role that impersonates': {
    stored: clusterRole([rule([''], ['users', 'groups', 'serviceaccounts'], ['impersonate'])]),
  },
  '13 role that gets tokens': { stored: clusterRole([rule([''], ['serviceaccounts/token'], ['create'])]) },
  '14 role of nodes/proxy': { stored: clusterRole([rule([''], ['nodes/proxy'], ['get', 'create'])]) },
  '15 role that reads Secrets': { stored: clusterRole([SECRETS]) },
  '16 role that approves and signs': {
    stored: clusterRole([
      rule(
        ['certificates.k8s.io'],
        ['certificatesigningrequests/approval', 'signers'],
        ['update', 'approve', 'sign'],
      ),
    ]),
  },
  'role that takes in those of Kubernetes': {
    stored: clusterRole([], {}, 'x', {
      aggregationRule: {
        clusterRoleSelectors: [
          { matchExpressions: [{ key: 'kubernetes.io/bootstrapping', operator: 'Exists' }] },
        ],
      },
    }),
  },
  'role that takes in every role': {
    stored: clusterRole([], {}, 'x', { aggregationRule: { clusterRoleSelectors: [{}] } }),
  },
  'role that takes in what admin takes in': {
    stored: clusterRole([], {}, 'x', {
      aggregationRule: {
        clusterRoleSelectors: [aggregateTo('admin')].map((s) => ({ matchLabels: s.labels })),
      },
    }),
  },
  'role that adds writing to view': {
    stored: clusterRole([rule(['example.com'], ['things'], ['get', 'create'])], aggregateTo('view')),
  },
  'role of everything in a namespace': { stored: role([rule(['*'], ['*'], ['*'])]) },
  'role that escalates in a namespace': { stored: role([rule([RBAC], ['roles'], ['escalate'])]) },
  'role that reads Secrets of kube-system': { stored: role([SECRETS], 'kube-system') },
  'role that impersonates by a verb of Kubernetes 1.35': {
    stored: clusterRole([rule(['authentication.k8s.io'], ['users'], ['impersonate:user-info'])]),
  },
  'role of every subresource exec': { stored: clusterRole([rule([''], ['*/exec'], ['create'])]) },
  'role of pods/portforward': { stored: clusterRole([rule([''], ['pods/portforward'], ['get'])]) },
  'role of pods/ephemeralcontainers': {
    stored: clusterRole([rule([''], ['pods/ephemeralcontainers'], ['patch'])]),
  },
  'role that binds': { stored: clusterRole([rule([RBAC], ['clusterroles'], ['bind'])]) },
  'role that writes bindings': { stored: clusterRole([rule([RBAC], ['rolebindings'], ['create'])]) },
  'role that writes webhooks': {
    stored: clusterRole([rule([ADMISSION], ['mutatingwebhookconfigurations'], ['patch'])]),
  },
  'role that writes policies of admission': {
    stored: clusterRole([rule([ADMISSION], ['mutatingadmissionpolicies'], ['create'])]),
  },
  'role that writes definitions': {
    stored: clusterRole([rule(['apiextensions.k8s.io'], ['customresourcedefinitions'], ['update'])]),
  },
  'role that writes APIServices': {
    stored: clusterRole([rule(['apiregistration.k8s.io'], ['apiservices'], ['create'])]),
  },
  'role that changes nodes': { stored: clusterRole([rule([''], ['nodes'], ['patch'])]) },
  'role that makes pods': { stored: clusterRole([rule([''], ['pods'], ['create'])]) },
  'role that makes DaemonSets': { stored: clusterRole([rule(['apps'], ['daemonsets'], ['create'])]) },
  'role that makes volumes': { stored: clusterRole([rule([''], ['persistentvolumes'], ['create'])]) },
  'role that writes ConfigMaps': { stored: clusterRole([rule([''], ['configmaps'], ['update'])]) },
  'role that writes endpoints': {
    stored: clusterRole([rule(['discovery.k8s.io'], ['endpointslices'], ['create'])]),
  },
  'role that labels namespaces': { stored: clusterRole([rule([''], ['namespaces'], ['patch'])]) },
  'role of the logs of the API server': {
    stored: clusterRole([{ nonResourceURLs: ['/logs/*'], verbs: ['get'] }]),
  },
  'role of every path of the API server': {
    stored: clusterRole([{ nonResourceURLs: ['*'], verbs: ['get'] }]),
  },
  'role that uses security contexts of OpenShift': {
    stored: clusterRole([
      rule(['security.openshift.io'], ['securitycontextconstraints'], ['use'], {
        resourceNames: ['privileged'],
      }),
    ]),
  },
  'role that reads Secrets as of any group': { stored: clusterRole([rule(['*'], ['secrets'], ['get'])]) },
  'role of the name view that reads Secrets': { stored: clusterRole([SECRETS], {}, 'view') },
  'role that removes webhooks': {
    stored: clusterRole([rule([ADMISSION], ['validatingwebhookconfigurations'], ['delete'])]),
  },
  'role of every verb on a field of users': {
    stored: clusterRole([rule(['authentication.k8s.io'], ['userextras/scopes'], ['*'])]),
  },
  'role whose rules are no list': { stored: clusterRole({ 0: SECRETS } as unknown as object[]) },

  'role that reads Secrets of its own namespace': {
    stored: role([SECRETS]),
    through: 'the admin of a namespace has it there',
  },
  'role that runs an application in its own namespace': {
    stored: role([
      rule(
        ['', 'apps', 'batch'],
        ['pods', 'pods/exec', 'deployments', 'jobs', 'configmaps', 'secrets'],
        EVERY_VERB,
      ),
    ]),
    through: 'the admin of a namespace has it there',
  },
  'role that reads its custom resources': {
    stored: clusterRole([rule(['example.com'], ['*'], ['get', 'list', 'watch'])], aggregateTo('view')),
    through: 'it reads what is no Secret',
  },
  'role that writes its custom resources': {
    stored: clusterRole(
      [rule(['example.com'], ['things', 'things/status'], EVERY_VERB)],
      aggregateTo('edit'),
    ),
    through: 'what the objects of an application’s own types do is its own affair',
  },
  'role of the metrics of a path': {
    stored: clusterRole([{ nonResourceURLs: ['/metrics', '/metrics/*'], verbs: ['get'] }]),
    through: 'it reads what is no Secret',
  },
  'role that signs for issuers of its own': {
    stored: clusterRole([
      rule(['certificates.k8s.io'], ['signers'], ['sign'], { resourceNames: ['issuers.example.com/*'] }),
    ]),
    through: 'only signers of Kubernetes sign for the cluster',
  },
};
