import { ADMISSION, type Cases, stored } from './privileged-builders.ts';

/** What guards or extends the cluster, its storage and its tokens; those with a number are what an attacker tried. */
export const PLATFORM: Cases = {
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
};
