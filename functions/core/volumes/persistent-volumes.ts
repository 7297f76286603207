import type { KubeObject } from '../kubernetes/resources.ts';

/** Fields of a PersistentVolume's spec that are not its source. */
const NO_SOURCE = new Set([
  ...['accessModes', 'capacity', 'claimRef', 'mountOptions', 'nodeAffinity', 'persistentVolumeReclaimPolicy'],
  ...['storageClassName', 'volumeMode', 'volumeAttributesClassName'],
]);

/** The source of a volume, by its field: `csi`, `nfs`, `hostPath`. */
export function volumeType(volume: KubeObject): string | undefined {
  return Object.keys(volume.spec ?? {}).find((key) => !NO_SOURCE.has(key));
}

/**
 * The folder of a volume's files on the node: relative to a pod's `volumes` folder, or absolute for a hostPath volume.
 * Undefined for other types. Names from k8s.io/kubernetes/pkg/volume.
 */
export function folderOnNode(volume: KubeObject): string | undefined {
  const type = volumeType(volume);
  const { name } = volume.metadata;
  if (type === 'hostPath') return (volume.spec as { hostPath: { path: string } }).hostPath.path;
  if (type === 'csi') return `kubernetes.io~csi/${name}/mount`;
  if (type === 'local') return `kubernetes.io~local-volume/${name}`;
  if (type === 'nfs') return `kubernetes.io~nfs/${name}`;
  return undefined;
}

/** The size that a claim requests, as a quantity; empty if it requests none. */
export function sizeOf(claim: KubeObject): string {
  const { requests } = (claim.spec?.resources ?? {}) as { requests?: { storage?: string } };
  return requests?.storage ?? '';
}
