import { type PerCopy, type VaultCopy, vaultCopies } from '../../functions/contract/copies.ts';
import type {
  ClusterSettings,
  ControlPlaneSettings,
  JobSettings,
  PlanSettings,
  Selection,
} from '../../functions/contract/settings.ts';

/** A selection of everything in some namespaces, but for what is said. */
export const selectionOf = (namespaces: readonly string[], over: Partial<Selection> = {}): Selection => ({
  namespaces: [...namespaces],
  excludedNamespaces: [],
  includedResources: [],
  excludedResources: [],
  includedNamespaceScopedResources: [],
  excludedNamespaceScopedResources: [],
  includedClusterScopedResources: [],
  excludedClusterScopedResources: [],
  orLabelSelectors: [],
  ...over,
});

/** A plan of these namespaces with everything else as if left out of holdfast.yaml. */
export function planOf(
  name: string,
  namespaces: readonly string[],
  over: Partial<PlanSettings> = {},
): PlanSettings {
  return {
    name,
    selection: selectionOf(namespaces),
    volumes: 'opt-in',
    volumeRules: [],
    restic: { excludes: [], excludeIfPresent: [], compression: 'auto' },
    controlPlane: false,
    scratchEtcd: false,
    retention: { keepLast: 7 },
    timeZone: 'UTC',
    ...over,
  };
}

/** Jobs as if left out of holdfast.yaml. */
export const JOBS: JobSettings = {
  kubectlImage: 'registry.k8s.io/kubectl:v1.34.4',
  resticImage: 'restic:1',
  imagePullSecrets: [],
  s3Endpoint: 'https://s3.primary',
  replicaS3Endpoint: 'https://s3.replica',
  concurrency: 4,
  concurrencyPerNode: 2,
  resources: { cpu: '100m', memory: '128Mi', memoryLimit: '1Gi' },
  tolerations: [],
  deadlineSeconds: 6 * 3600,
  startSeconds: 600,
  kubeletDir: '/var/lib/kubelet',
};

/** The control plane as if left out of holdfast.yaml. */
export const CONTROL_PLANE: ControlPlaneSettings = {
  etcdImage: 'etcd:1',
  endpoints: [],
  folder: '/etc/kubernetes',
  caFile: 'pki/etcd/ca.crt',
  certFile: 'pki/etcd/healthcheck-client.crt',
  keyFile: 'pki/etcd/healthcheck-client.key',
};

/** Both copies of the vault of some settings, in the account 1. */
export const copiesOf = ({ vault, jobs }: ClusterSettings): PerCopy<VaultCopy> =>
  vaultCopies(vault, '1', jobs);

/** A cluster's settings as if left out of holdfast.yaml: reached by EKS, with a plan `daily` of the namespace `shop`. */
export const settingsWith = (over: Partial<ClusterSettings> = {}): ClusterSettings => ({
  cluster: 'paris',
  access: { kind: 'eks', name: 'paris', region: 'eu-west-3' },
  vault: { name: 'holdfast-vault', region: 'eu-west-3', replicaRegion: 'eu-north-1' },
  jobs: JOBS,
  controlPlane: CONTROL_PLANE,
  veleroSources: [],
  verification: { parts: 7 },
  shardItems: 1000,
  prune: { maxShare: 50, orphanGraceDays: 7 },
  plans: [planOf('daily', ['shop'])],
  ...over,
});
