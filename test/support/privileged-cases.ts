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
const ADMISSION = 'admissionregistration.k8s.io';

export const place = (groupResource: string, name = 'x', namespace?: string): ArchivedName => ({
  groupResource,
  version: 'v1',
  name,
  namespace,
});
const stored = (
  type: string,
  namespace: string | undefined,
  body: object,
  metadata: object = {},
  name = 'x',
): Stored => [
  place(type, name, namespace),
  { metadata: { name, ...(namespace !== undefined && { namespace }), ...metadata }, ...body } as KubeObject,
];
const pod = (spec: object, namespace = 'evil', metadata = {}) =>
  stored(
    'pods',
    namespace,
    { kind: 'Pod', spec: { containers: [{ name: 'c', image: 'i' }], ...spec } },
    metadata,
  );
const container = (security: object, more: object = {}) =>
  pod({ containers: [{ name: 'c', securityContext: security, ...more }] });
const template = (type: string, spec: object, namespace = 'evil') =>
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
const account = (namespace = 'evil', name = 'default') => ({ kind: 'ServiceAccount', name, namespace });
const group = (name: string) => ({ kind: 'Group', apiGroup: RBAC, name });
const user = (name: string) => ({ kind: 'User', apiGroup: RBAC, name });
const refOf = (name: string, kind = 'ClusterRole') => ({ apiGroup: RBAC, kind, name });
const wideBinding = (name: string, subjects: object[] = [account()]) =>
  stored(`clusterrolebindings.${RBAC}`, undefined, { roleRef: refOf(name), subjects });
const binding = (name: string, namespace: string, subjects: object[] = [account()], kind = 'ClusterRole') =>
  stored(`rolebindings.${RBAC}`, namespace, { roleRef: refOf(name, kind), subjects });
const aggregateTo = (name: string) => ({ labels: { [`${RBAC}/aggregate-to-${name}`]: 'true' } });

const SECRETS = rule([''], ['secrets'], ['get', 'list']);
const EVERY_VERB = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];
const LEADER = [
  rule(['coordination.k8s.io'], ['leases'], ['create']),
  rule(['coordination.k8s.io'], ['leases'], ['get', 'update', 'patch'], {
    resourceNames: ['cert-manager-controller'],
  }),
];

/** Roles and bindings, by the numbers of the payloads that an attacker tried. */
const OF_RBAC: Record<string, Omit<Case, 'what'>> = {
  '1 binding to cluster-admin': { stored: wideBinding('cluster-admin') },
  '2 binding to admin in kube-system': { stored: binding('admin', 'kube-system') },
  '3 binding to admin in the cluster': { stored: wideBinding('admin') },
  '4 binding to edit in the cluster': { stored: wideBinding('edit') },
  '5 binding to holdfast-restore': { stored: wideBinding('holdfast-restore') },
  '6 binding to holdfast-backup': { stored: wideBinding('holdfast-backup') },
  '7 binding to a role of a controller': {
    stored: wideBinding('system:controller:clusterrole-aggregation-controller'),
  },
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
  'binding to system:auth-delegator': {
    stored: wideBinding('system:auth-delegator', [account('shop', 'api')]),
    through: 'it asks who somebody is and what they may do',
  },
  'role of the metrics of a path': {
    stored: clusterRole([{ nonResourceURLs: ['/metrics', '/metrics/*'], verbs: ['get'] }]),
    through: 'it reads what is no Secret',
  },
  'binding to a leader election in kube-system': {
    stored: binding('leader', 'kube-system', [account('cert-manager', 'cert-manager')], 'Role'),
    with: [role(LEADER, 'kube-system', 'leader')],
    through: 'it takes a lease of its own name',
  },
  'role that signs for issuers of its own': {
    stored: clusterRole([
      rule(['certificates.k8s.io'], ['signers'], ['sign'], { resourceNames: ['issuers.example.com/*'] }),
    ]),
    through: 'only signers of Kubernetes sign for the cluster',
  },
};

/** Pods and workloads. */
const OF_PODS: Record<string, Omit<Case, 'what'>> = {
  '30 privileged': { stored: container({ privileged: true }) },
  '31 hostPath': { stored: pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] }) },
  '32 hostPID': { stored: pod({ hostPID: true }) },
  '32 hostIPC': { stored: pod({ hostIPC: true }) },
  '32 hostNetwork': { stored: pod({ hostNetwork: true }) },
  '33 capabilities of the node': {
    stored: container({ capabilities: { add: ['SYS_ADMIN', 'SYS_MODULE', 'BPF'] } }),
  },
  '33 seccomp Unconfined': { stored: container({ seccompProfile: { type: 'Unconfined' } }) },
  '33 AppArmor Unconfined': { stored: container({ appArmorProfile: { type: 'Unconfined' } }) },
  '34 every capability': { stored: container({ capabilities: { add: ['ALL'] } }) },
  '35 a node of its own choice': {
    stored: pod({ nodeName: 'cp1', tolerations: [{ operator: 'Exists' }] }),
    through: 'the node of a pod is not restored, and a toleration gives no rights on a node',
  },
  '36 procMount Unmasked': { stored: container({ procMount: 'Unmasked' }) },
  '37 sysctls of the kernel': {
    stored: pod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }),
  },
  '38 a privileged ephemeral container': {
    stored: pod({ ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }] }),
  },
  '39 a port of the node': { stored: container({}, { ports: [{ containerPort: 1, hostPort: 53 }] }) },
  '40 a process of a Windows node': {
    stored: pod({ securityContext: { windowsOptions: { hostProcess: true } } }),
  },
  '41 in kube-system with the account of a controller': {
    stored: pod({ serviceAccountName: 'clusterrole-aggregation-controller' }, 'kube-system'),
  },
  '42 in holdfast': { stored: pod({}, 'holdfast') },
  '43 inline csi': { stored: pod({ volumes: [{ name: 'v', csi: { driver: 'hostpath.csi.k8s.io' } }] }) },
  '44 privileged, without kind': {
    stored: stored('pods', 'evil', {
      spec: { hostPID: true, containers: [{ name: 'c', securityContext: { privileged: true } }] },
    }),
  },
  '45 a privileged CronJob': {
    stored: stored('cronjobs.batch', 'evil', {
      kind: 'CronJob',
      spec: {
        jobTemplate: {
          spec: {
            template: { spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
          },
        },
      },
    }),
  },
  '46 a privileged CronJob without kind': {
    stored: stored('cronjobs.batch', 'evil', {
      spec: {
        jobTemplate: {
          spec: {
            template: { spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
          },
        },
      },
    }),
  },
  '47 a privileged PodTemplate': {
    stored: stored('podtemplates', 'evil', {
      template: { spec: { containers: [{ name: 'c', securityContext: { privileged: true } }] } },
    }),
  },
  '48 a Rollout': { stored: template('rollouts.argoproj.io', { hostPID: true }) },
  'a Rollout of which only the template is known': {
    stored: stored('rollouts.argoproj.io', 'evil', { spec: { template: { spec: { hostPID: true } } } }),
  },
  'a privileged init container': {
    stored: pod({ initContainers: [{ name: 'i', securityContext: { privileged: true } }] }),
  },
  'AppArmor unconfined by annotation': {
    stored: pod({}, 'evil', {
      annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' },
    }),
  },
  'a SELinux type of the node': { stored: pod({ securityContext: { seLinuxOptions: { type: 'spc_t' } } }) },
  'a SELinux user': { stored: container({ seLinuxOptions: { user: 'system_u' } }) },
  'probes of another host': {
    stored: container({}, { livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }),
  },
  'a hook that calls another host': {
    stored: container({}, { lifecycle: { preStop: { tcpSocket: { host: '10.0.0.1' } } } }),
  },
  'limits of a process of the node': { stored: container({ ulimits: [{ name: 'nofile' }] }) },
  'a clone by the node': {
    stored: pod({ volumes: [{ name: 'v', gitRepo: { repository: 'https://evil.example' } }] }),
  },
  'a DaemonSet of an old group': { stored: template('daemonsets.extensions', { hostPID: true }) },
  'a revision of a StatefulSet': {
    stored: stored('controllerrevisions.apps', 'evil', {
      data: { spec: { template: { spec: { hostPID: true, containers: [{ name: 'c' }] } } } },
    }),
  },
  'a node that a template names': { stored: template('deployments.apps', { nodeName: 'cp1' }) },
  'a workload in kube-system': { stored: template('deployments.apps', {}, 'kube-system') },
  'containers that are no list': {
    stored: pod({ containers: { c: { securityContext: { privileged: true } } } }),
  },
  'a workflow of privileged containers': {
    stored: stored('workflows.argoproj.io', 'evil', {
      spec: { templates: [{ name: 't', container: { image: 'i', securityContext: { privileged: true } } }] },
    }),
  },
  'a training job of pods of the node': {
    stored: stored('pytorchjobs.kubeflow.org', 'evil', {
      spec: {
        replicas: {
          Worker: { template: { spec: { hostNetwork: true, containers: [{ name: 'c', image: 'i' }] } } },
        },
      },
    }),
  },
  'an ordinary pod': {
    stored: pod({
      serviceAccountName: 'web',
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
      },
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 's', csi: { driver: 'secrets-store.csi.k8s.io' } },
      ],
      containers: [
        {
          name: 'c',
          ports: [{ containerPort: 80, hostPort: 0 }],
          securityContext: { privileged: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
          livenessProbe: { httpGet: { path: '/', port: 80 } },
        },
      ],
    }),
    through: 'it is as Pod Security baseline wants it',
  },
  'a pod with the account of an operator': {
    stored: template('deployments.apps', { serviceAccountName: 'operator' }, 'operators'),
    with: [wideBinding('cluster-admin', [account('operators', 'operator')])],
    through: 'what gives an account its power is held, and whoever runs pods in the namespace has it already',
  },
};

/** What guards, extends or configures the cluster. */
const OF_PLATFORM: Record<string, Omit<Case, 'what'>> = {
  '20 a webhook': { stored: stored(`mutatingwebhookconfigurations.${ADMISSION}`, undefined, {}) },
  '20 a validating webhook': {
    stored: stored(`validatingwebhookconfigurations.${ADMISSION}`, undefined, {}),
  },
  '21 a policy that changes requests': {
    stored: stored(`mutatingadmissionpolicies.${ADMISSION}`, undefined, { spec: {} }),
  },
  '21 its binding': {
    stored: stored(`mutatingadmissionpolicybindings.${ADMISSION}`, undefined, { spec: {} }),
  },
  '22 a binding of a policy': {
    stored: stored(`validatingadmissionpolicybindings.${ADMISSION}`, undefined, { spec: {} }),
  },
  '22 a policy': { stored: stored(`validatingadmissionpolicies.${ADMISSION}`, undefined, { spec: {} }) },
  '23 a definition with a conversion': {
    stored: stored('customresourcedefinitions.apiextensions.k8s.io', undefined, {
      spec: {
        conversion: { strategy: 'Webhook', webhook: { clientConfig: { url: 'https://evil.example' } } },
      },
    }),
  },
  'a definition with a webhook and no strategy': {
    stored: stored('customresourcedefinitions.apiextensions.k8s.io', undefined, {
      spec: { conversion: { webhook: { clientConfig: { url: 'https://evil.example' } } } },
    }),
  },
  'an old definition with a conversion': {
    stored: stored('customresourcedefinitions.apiextensions.k8s.io', undefined, {
      spec: { conversion: { strategy: 'Webhook', webhookClientConfig: { url: 'https://evil.example' } } },
    }),
  },
  '24 an APIService': {
    stored: stored('apiservices.apiregistration.k8s.io', undefined, {
      spec: { service: { name: 'x', namespace: 'evil' } },
    }),
  },
  '49 an Application of Argo CD': { stored: stored('applications.argoproj.io', 'argocd', { spec: {} }) },
  'a Kustomization of Flux': {
    stored: stored('kustomizations.kustomize.toolkit.fluxcd.io', 'flux-system', { spec: {} }),
  },
  'a HelmChart of k3s': { stored: stored('helmcharts.helm.cattle.io', 'evil', { spec: {} }) },
  'a package of Crossplane': { stored: stored('providers.pkg.crossplane.io', undefined, { spec: {} }) },
  'a mapping of AWS roles': {
    stored: stored('iamidentitymappings.iamauthenticator.k8s.aws', undefined, { spec: {} }),
  },
  'a group of OpenShift': { stored: stored('groups.user.openshift.io', undefined, { users: ['evil'] }) },
  'a policy of Kyverno': { stored: stored('clusterpolicies.kyverno.io', undefined, { spec: {} }) },
  'an exception of Kyverno': { stored: stored('policyexceptions.kyverno.io', 'evil', { spec: {} }) },
  'a mutation of Gatekeeper': { stored: stored('assign.mutations.gatekeeper.sh', undefined, { spec: {} }) },
  'a Restore of Velero': { stored: stored('restores.velero.io', 'velero', { spec: {} }) },
  '50 a volume that was provisioned': {
    stored: stored('persistentvolumes', undefined, { spec: { hostPath: { path: '/etc/kubernetes' } } }),
  },
  '50 a volume of a path of the node': {
    stored: stored('persistentvolumes', undefined, {
      spec: { persistentVolumeReclaimPolicy: 'Retain', hostPath: { path: '/etc/kubernetes' } },
    }),
  },
  'a volume that is mounted with a Secret of another namespace': {
    stored: stored('persistentvolumes', undefined, {
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'evil', name: 'c' },
        csi: { driver: 'd', nodePublishSecretRef: { name: 's', namespace: 'shop' } },
      },
    }),
  },
  'a volume that a program of the node mounts': {
    stored: stored('persistentvolumes', undefined, {
      spec: { persistentVolumeReclaimPolicy: 'Retain', flexVolume: { driver: 'd' } },
    }),
  },
  'a volume of Azure with a Secret of another namespace': {
    stored: stored('persistentvolumes', undefined, {
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'evil', name: 'c' },
        azureFile: { shareName: 's', secretName: 's', secretNamespace: 'shop' },
      },
    }),
  },
  'a volume of a share': {
    stored: stored('persistentvolumes', undefined, {
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'shop', name: 'c' },
        csi: { driver: 'd', nodeStageSecretRef: { name: 's', namespace: 'shop' } },
      },
    }),
    through: 'it is mounted with a Secret of its claim’s own namespace',
  },
  'a volume of a claim in kube-system': {
    stored: stored('persistentvolumes', undefined, {
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'kube-system', name: 'c' },
        nfs: {},
      },
    }),
  },
  '51 a storage class with Secrets of kube-system': {
    stored: stored('storageclasses.storage.k8s.io', undefined, {
      provisioner: 'nfs.csi.k8s.io',
      parameters: {
        server: 'evil.example',
        'csi.storage.k8s.io/provisioner-secret-namespace': 'kube-system',
      },
    }),
  },
  '51 a driver that gets tokens': {
    stored: stored('csidrivers.storage.k8s.io', undefined, { spec: { tokenRequests: [{ audience: 'a' }] } }),
  },
  '51 a driver that pods mount without a claim': {
    stored: stored('csidrivers.storage.k8s.io', undefined, {
      spec: { volumeLifecycleModes: ['Persistent', 'Ephemeral'] },
    }),
  },
  '51 a storage class with Secrets of the namespace of its claims': {
    stored: stored('storageclasses.storage.k8s.io', undefined, {
      parameters: { 'csi.storage.k8s.io/node-publish-secret-namespace': ['$', '{pvc.namespace}'].join('') },
    }),
    through: 'each claim uses the Secrets of its own namespace',
  },
  '52 a priority for everybody': {
    stored: stored('priorityclasses.scheduling.k8s.io', undefined, { value: 10, globalDefault: true }),
  },
  '52 the highest priority': {
    stored: stored('priorityclasses.scheduling.k8s.io', undefined, { value: 1_000_000_000 }),
  },
  '53 a token of a controller': {
    stored: stored(
      'secrets',
      'kube-system',
      { type: 'kubernetes.io/service-account-token' },
      { annotations: { 'kubernetes.io/service-account.name': 'clusterrole-aggregation-controller' } },
    ),
  },
  '54 a bootstrap token': {
    stored: stored('secrets', 'kube-system', { type: 'bootstrap.kubernetes.io/token' }),
  },
  '55 an approved request': {
    stored: stored('certificatesigningrequests.certificates.k8s.io', undefined, {
      status: { conditions: [{ type: 'Approved' }] },
    }),
  },
  '56 a Namespace of privileged pods': {
    stored: stored(
      'namespaces',
      undefined,
      {},
      { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
      'evil',
    ),
  },
  'a Namespace that Gatekeeper ignores': {
    stored: stored(
      'namespaces',
      undefined,
      {},
      { labels: { 'admission.gatekeeper.sh/ignore': 'yes' } },
      'evil',
    ),
  },
  'a Namespace that may take every role of AWS': {
    stored: stored(
      'namespaces',
      undefined,
      {},
      { annotations: { 'iam.amazonaws.com/permitted': '.*' } },
      'evil',
    ),
  },
  'a Namespace with access to devices of others': {
    stored: stored(
      'namespaces',
      undefined,
      {},
      { labels: { 'resource.kubernetes.io/admin-access': 'true' } },
      'evil',
    ),
  },
  '57 a Service of external addresses': {
    stored: stored('services', 'evil', { spec: { externalIPs: ['10.0.0.1'] } }),
  },
  '58 endpoints of the metadata': {
    stored: stored('endpoints', 'evil', { subsets: [{ addresses: [{ ip: '169.254.169.254' }] }] }),
  },
  '58 endpoints that are not ready yet': {
    stored: stored('endpoints', 'evil', { subsets: [{ notReadyAddresses: [{ ip: '127.0.0.1' }] }] }),
  },
  '59 a slice of the metadata': {
    stored: stored('endpointslices.discovery.k8s.io', 'evil', {
      endpoints: [{ addresses: ['169.254.169.254'] }],
    }),
  },
  ...Object.fromEntries(
    [
      '::1',
      'fe80::1',
      '::ffff:169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      'fd00:ec2::254',
      '0:0:0:0:0:ffff:7f00:1',
      '169.254.169.0254',
    ].map((address) => [
      `a slice of ${address}`,
      {
        stored: stored('endpointslices.discovery.k8s.io', 'evil', { endpoints: [{ addresses: [address] }] }),
      },
    ]),
  ),
  'a slice of the names of the cluster': {
    stored: stored('endpointslices.discovery.k8s.io', 'kube-system', {
      endpoints: [{ addresses: ['10.0.0.9'] }],
    }),
  },
  '60 a Service of a name elsewhere': {
    stored: stored('services', 'evil', { spec: { type: 'ExternalName', externalName: 'evil.example' } }),
    through: 'it is an alias in its own namespace',
  },
  '60 a Service of the API server': {
    stored: stored('services', 'evil', {
      spec: { type: 'ExternalName', externalName: 'kubernetes.default.svc.cluster.local.' },
    }),
  },
  'a Service of the metadata': {
    stored: stored('services', 'evil', {
      spec: { type: 'ExternalName', externalName: 'metadata.google.internal' },
    }),
  },
  'a Service of the node': { stored: stored('services', 'evil', { spec: { externalName: 'LOCALHOST.' } }) },
  'a Service of a short name of kube-system': {
    stored: stored('services', 'evil', { spec: { externalName: 'dashboard.kube-system' } }),
  },
  'a Service of kube-system': {
    stored: stored('services', 'evil', {
      spec: { type: 'ExternalName', externalName: 'dashboard.kube-system.svc' },
    }),
  },
  '61 coredns': { stored: stored('configmaps', 'kube-system', { data: {} }, {}, 'coredns') },
  '62 aws-auth': { stored: stored('configmaps', 'kube-system', { data: {} }, {}, 'aws-auth') },
  'node-local-dns': { stored: stored('configmaps', 'kube-system', { data: {} }, {}, 'node-local-dns') },
  'cluster-info': { stored: stored('configmaps', 'kube-public', { data: {} }, {}, 'cluster-info') },
  '63 a runtime class': {
    stored: stored('runtimeclasses.node.k8s.io', undefined, { handler: 'runc-privileged' }),
  },
  '64 a flow schema': { stored: stored('flowschemas.flowcontrol.apiserver.k8s.io', undefined, { spec: {} }) },
  '64 a priority level': {
    stored: stored('prioritylevelconfigurations.flowcontrol.apiserver.k8s.io', undefined, { spec: {} }),
  },
  '65 an Ingress for a host of others': {
    stored: stored('ingresses.networking.k8s.io', 'evil', { spec: { rules: [{ host: 'bank.example' }] } }),
    through:
      'who may create an Ingress in a namespace has every host; the ingress controller decides which it serves',
  },
  'an Ingress with configuration of its own': {
    stored: stored(
      'ingresses.networking.k8s.io',
      'evil',
      {},
      { annotations: { 'nginx.ingress.kubernetes.io/server-snippet': 'x' } },
    ),
  },
  '66 a device class': {
    stored: stored('deviceclasses.resource.k8s.io', undefined, { spec: { selectors: [] } }),
  },
  '66 a class of volume attributes': {
    stored: stored('volumeattributesclasses.storage.k8s.io', undefined, {
      driverName: 'd',
      parameters: { iops: '1' },
    }),
    through: 'it says how fast a volume is',
  },
  '67 a claim of devices of others': {
    stored: stored('resourceclaims.resource.k8s.io', 'evil', {
      spec: { devices: { requests: [{ exactly: { adminAccess: true } }] } },
    }),
  },
  'a template of claims of devices of others': {
    stored: stored('resourceclaimtemplates.resource.k8s.io', 'evil', {
      spec: { spec: { devices: { requests: [{ adminAccess: true }] } } },
    }),
  },
  '68 an account of kube-system with a role of AWS': {
    stored: stored(
      'serviceaccounts',
      'kube-system',
      {},
      { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/admin' } },
    ),
  },
  'an account with a role of AWS': {
    stored: stored(
      'serviceaccounts',
      'shop',
      {},
      { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/shop' } },
    ),
    through:
      'AWS trusts a role’s accounts by namespace and name, and who is in the namespace can have the account anyway',
  },
  '69 a bundle of trust': {
    stored: stored('clustertrustbundles.certificates.k8s.io', undefined, { spec: {} }),
  },
  'an ordinary Namespace': {
    stored: stored(
      'namespaces',
      undefined,
      {},
      { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      'shop',
    ),
    through: 'it guards its pods',
  },
  'an ordinary definition': {
    stored: stored('customresourcedefinitions.apiextensions.k8s.io', undefined, {
      spec: { conversion: { strategy: 'None' } },
    }),
    through: 'nobody else sees its objects',
  },
  'a Kustomization with an account of its namespace': {
    stored: stored('kustomizations.kustomize.toolkit.fluxcd.io', 'shop', {
      spec: { serviceAccountName: 'deployer' },
    }),
    through: 'it acts with the rights of that account',
  },
  'endpoints of a database': {
    stored: stored('endpoints', 'shop', { subsets: [{ addresses: [{ ip: '192.0.2.10' }] }] }),
    through: 'they lead out of the cluster',
  },
  'a priority of an application': {
    stored: stored('priorityclasses.scheduling.k8s.io', undefined, { value: 1000 }),
    through: 'parts of the cluster come first',
  },
};

const named = (kind: string, cases: Record<string, Omit<Case, 'what'>>): Case[] =>
  Object.entries(cases).map(([what, one]) => ({ ...one, what: `${kind}: ${what}` }));

export const CASES: readonly Case[] = [
  ...named('rbac', OF_RBAC),
  ...named('pods', OF_PODS),
  ...named('platform', OF_PLATFORM),
];
