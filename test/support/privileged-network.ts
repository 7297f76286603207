import { type Cases, stored } from './privileged-builders.ts';

/** Namespaces, addresses, configuration and the rest; those with a number are what an attacker tried. */
export const NETWORK: Cases = {
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
  '65 a default class of Ingresses': {
    stored: stored(
      'ingressclasses.networking.k8s.io',
      undefined,
      { spec: { controller: 'example.com/edge' } },
      { annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    ),
    through: 'it decides only about Ingresses that name no class',
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
