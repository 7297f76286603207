import { join } from 'node:path';
import { z } from 'zod';
import { storage } from '../base/settings.ts';

const metadata = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
  deletionTimestamp: z.string().optional(),
});

/** The part of a claim that the driver reads. */
export const claimList = z.object({
  items: z.array(
    z.object({
      metadata,
      spec: z.object({
        storageClassName: z.string().optional(),
        volumeName: z.string().optional(),
        accessModes: z.array(z.string()).optional(),
        volumeMode: z.string().optional(),
        resources: z.object({ requests: z.record(z.string(), z.string()).optional() }).optional(),
      }),
    }),
  ),
});

/** The part of a volume that the driver reads. */
export const volumeList = z.object({
  items: z.array(
    z.object({
      metadata,
      spec: z.object({ persistentVolumeReclaimPolicy: z.string().optional() }),
      status: z.object({ phase: z.string().optional() }).optional(),
    }),
  ),
});

type Claim = z.infer<typeof claimList>['items'][number];
type Volume = z.infer<typeof volumeList>['items'][number];

/** Claims that wait for this driver, and whose node the scheduler has chosen. */
export function claimsToServe(claims: readonly Claim[], node: string): Claim[] {
  return claims.filter(
    ({ metadata: { annotations, deletionTimestamp }, spec }) =>
      spec.storageClassName === storage.className &&
      !spec.volumeName &&
      spec.volumeMode !== 'Block' &&
      !deletionTimestamp &&
      annotations?.['volume.kubernetes.io/selected-node'] === node,
  );
}

/** Volumes of this driver that are released and have the reclaim policy Delete. */
export function volumesToRemove(volumes: readonly Volume[]): Volume[] {
  return volumes.filter(
    ({ metadata: { annotations }, spec, status }) =>
      annotations?.['pv.kubernetes.io/provisioned-by'] === storage.provisioner &&
      spec.persistentVolumeReclaimPolicy === 'Delete' &&
      status?.phase === 'Released',
  );
}

/** The name follows from the claim, so that trying twice makes one volume. */
export function volumeName(claim: Claim): string {
  return `pvc-${claim.metadata.uid}`;
}

/** The volume that answers a claim: a folder of the node. */
export function volumeFor(claim: Claim, folder: string, node: string): unknown {
  const { name, namespace, uid } = claim.metadata;
  const hostname = { key: 'kubernetes.io/hostname', operator: 'In', values: [node] };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeName(claim),
      annotations: { 'pv.kubernetes.io/provisioned-by': storage.provisioner },
    },
    spec: {
      storageClassName: storage.className,
      persistentVolumeReclaimPolicy: 'Delete',
      accessModes: claim.spec.accessModes ?? ['ReadWriteOnce'],
      capacity: { storage: claim.spec.resources?.requests?.storage ?? '1Gi' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
      hostPath: { path: join(folder, volumeName(claim)), type: 'Directory' },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
    },
  };
}
