import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';

const NAME_LABEL = 'kubernetes.io/metadata.name';
const byName = (...names: string[]) => ({
  matchLabels: { [NAME_LABEL]: names[0], team: 'shop' },
  matchExpressions: [
    { key: NAME_LABEL, operator: 'In', values: names },
    { key: 'team', operator: 'In', values: ['shop'] },
  ],
});
const service = { clientConfig: { service: { name: 'hook', namespace: 'shop' } } };
const injected = { annotations: { 'cert-manager.io/inject-ca-from': 'shop/cert', note: 'shop/cert' } };
const subjects = [
  { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
  { kind: 'ServiceAccount', name: 'web', namespace: 'other' },
  { kind: 'Group', name: 'system:serviceaccounts:shop' },
  { kind: 'Group', name: 'system:serviceaccounts' },
  { kind: 'User', name: 'system:serviceaccount:shop:web' },
  { kind: 'User', name: 'shop' },
];
const policy = {
  ingress: [{ from: [{ namespaceSelector: byName('shop', 'other') }, { podSelector: byName('other') }] }],
  egress: [{ to: [{ namespaceSelector: byName('shop') }], ports: [{ port: 53 }] }],
};
const term = { topologyKey: 'zone', namespaces: ['shop', 'other'], namespaceSelector: byName('shop') };
const pod = {
  containers: [{ name: 'shop', image: 'shop' }],
  affinity: {
    podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] },
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
  },
};
const adminPolicy = {
  subject: { namespaces: byName('shop') },
  ingress: [{ from: [{ pods: { namespaceSelector: byName('shop'), podSelector: {} } }] }],
};

/**
 * For each type whose objects name namespaces: such an object, which names the namespaces `shop` and `other` there and elsewhere,
 * and how often it names `shop` as a namespace.
 */
export const REFERRING: readonly [groupResource: string, times: number, object: Partial<KubeObject>][] = [
  ['rolebindings.rbac.authorization.k8s.io', 3, { subjects }],
  ['clusterrolebindings.rbac.authorization.k8s.io', 3, { subjects }],
  [
    'mutatingwebhookconfigurations.admissionregistration.k8s.io',
    4,
    { metadata: { name: 'x', ...injected }, webhooks: [{ ...service, namespaceSelector: byName('shop') }] },
  ],
  ['validatingwebhookconfigurations.admissionregistration.k8s.io', 2, { webhooks: [service, service] }],
  [
    'validatingadmissionpolicies.admissionregistration.k8s.io',
    2,
    { spec: { matchConstraints: { namespaceSelector: byName('shop') } } },
  ],
  [
    'validatingadmissionpolicybindings.admissionregistration.k8s.io',
    3,
    {
      spec: {
        matchResources: { namespaceSelector: byName('shop') },
        paramRef: { namespace: 'shop', name: 'p' },
      },
    },
  ],
  [
    'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
    1,
    { spec: { paramRef: { namespace: 'shop', name: 'p' } } },
  ],
  [
    'apiservices.apiregistration.k8s.io',
    2,
    { metadata: { name: 'x', ...injected }, spec: { service: { name: 'api', namespace: 'shop' } } },
  ],
  [
    'customresourcedefinitions.apiextensions.k8s.io',
    2,
    {
      metadata: { name: 'x', ...injected },
      spec: { conversion: { webhook: service }, names: { kind: 'shop' } },
    },
  ],
  [
    'persistentvolumes',
    3,
    {
      spec: {
        claimRef: { namespace: 'shop', name: 'data' },
        csi: {
          nodeStageSecretRef: { namespace: 'shop', name: 's' },
          volumeAttributes: { namespace: 'shop' },
        },
        azureFile: { secretNamespace: 'shop', secretName: 's' },
      },
    },
  ],
  [
    'storageclasses.storage.k8s.io',
    1,
    { parameters: { 'csi.storage.k8s.io/provisioner-secret-namespace': 'shop', pool: 'shop' } },
  ],
  [
    'volumesnapshotclasses.snapshot.storage.k8s.io',
    1,
    { parameters: { 'csi.storage.k8s.io/snapshotter-secret-namespace': 'shop', pool: 'shop' } },
  ],
  ['networkpolicies.networking.k8s.io', 4, { spec: policy }],
  ['adminnetworkpolicies.policy.networking.k8s.io', 4, { spec: adminPolicy }],
  ['baselineadminnetworkpolicies.policy.networking.k8s.io', 4, { spec: adminPolicy }],
  ['ingressclasses.networking.k8s.io', 1, { spec: { parameters: { name: 'shop', namespace: 'shop' } } }],
  [
    'flowschemas.flowcontrol.apiserver.k8s.io',
    4,
    {
      spec: {
        rules: [
          {
            subjects: [
              { kind: 'ServiceAccount', serviceAccount: { name: 'web', namespace: 'shop' } },
              { kind: 'User', user: { name: 'system:serviceaccount:shop:web' } },
              { kind: 'Group', group: { name: 'system:serviceaccounts:shop' } },
            ],
            resourceRules: [{ namespaces: ['shop', 'other'], resources: ['shop'] }],
          },
        ],
      },
    },
  ],
  ['services', 1, { spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' } }],
  [
    'endpoints',
    2,
    {
      subsets: [
        {
          addresses: [{ ip: '192.0.2.1', targetRef: { kind: 'Pod', namespace: 'shop', name: 'shop' } }],
          notReadyAddresses: [{ targetRef: { namespace: 'shop' } }],
        },
      ],
    },
  ],
  [
    'endpointslices.discovery.k8s.io',
    1,
    { endpoints: [{ addresses: ['192.0.2.1'], targetRef: { namespace: 'shop' } }] },
  ],
  [
    'gateways.gateway.networking.k8s.io',
    3,
    {
      spec: {
        gatewayClassName: 'shop',
        listeners: [
          {
            name: 'shop',
            allowedRoutes: { namespaces: { from: 'Selector', selector: byName('shop') } },
            tls: { certificateRefs: [{ name: 'shop', namespace: 'shop' }] },
          },
        ],
      },
    },
  ],
  [
    'httproutes.gateway.networking.k8s.io',
    2,
    {
      spec: {
        parentRefs: [
          { name: 'shop', namespace: 'shop' },
          { name: 'other', namespace: 'other' },
        ],
        hostnames: ['shop'],
        rules: [{ backendRefs: [{ name: 'shop', namespace: 'shop', port: 80 }] }],
      },
    },
  ],
  [
    'referencegrants.gateway.networking.k8s.io',
    1,
    {
      spec: {
        from: [{ group: '', kind: 'shop', namespace: 'shop' }],
        to: [{ kind: 'Secret', name: 'shop' }],
      },
    },
  ],
  ['pods', 6, { kind: 'Pod', spec: pod }],
  ['deployments.apps', 6, { kind: 'Deployment', spec: { template: { spec: pod } } }],
  ['cronjobs.batch', 6, { kind: 'CronJob', spec: { jobTemplate: { spec: { template: { spec: pod } } } } }],
];
