/** Documents that Velero reads in addition to the archive. Field names and formats are Velero's (format 1.1.0). */

import type { Phase } from '../../contract/phase.ts';
import { sourceName } from '../restic/source.ts';
import type { VolumeOutcome } from '../volumes/work.ts';

/** RFC 3339 in whole seconds, as metav1.Time writes it. */
export const kubeTime = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

export interface VeleroBackupFacts {
  readonly backup: string;
  readonly cluster: string;
  readonly plan: string;
  readonly namespaces: readonly string[];
  readonly phase: Phase;
  readonly startedAt: Date;
  readonly completedAt: Date;
  readonly items: number;
  readonly warnings: number;
  readonly errors: number;
}

/** velero-backup.json: its existence is what makes Velero list the backup. */
export function veleroBackup(f: VeleroBackupFacts): object {
  return {
    apiVersion: 'velero.io/v1',
    kind: 'Backup',
    metadata: {
      name: f.backup,
      namespace: 'velero',
      creationTimestamp: kubeTime(f.startedAt),
      labels: {
        'holdfast.io/cluster': f.cluster,
        'holdfast.io/plan': f.plan,
        'velero.io/storage-location': 'default',
      },
    },
    spec: {
      includedNamespaces: [...f.namespaces],
      includedResources: ['*'],
      storageLocation: 'default',
      ttl: '720h0m0s',
      snapshotVolumes: false,
      defaultVolumesToFsBackup: false,
      hooks: {},
      metadata: {},
    },
    status: {
      version: 1,
      formatVersion: '1.1.0',
      phase: f.phase,
      startTimestamp: kubeTime(f.startedAt),
      completionTimestamp: kubeTime(f.completedAt),
      progress: { totalItems: f.items, itemsBackedUp: f.items },
      ...(f.warnings > 0 && { warnings: f.warnings }),
      ...(f.errors > 0 && { errors: f.errors }),
    },
  };
}

/** One entry per protected volume, so that Velero provisions an empty volume instead of reusing the original handle. */
export function veleroVolumeInfo(volumes: readonly VolumeOutcome[]): object[] {
  return volumes
    .filter((v) => v.result === 'protected' && v.pvc !== undefined && v.volumeName !== undefined)
    .map((v) => ({
      pvcName: v.pvc,
      pvcNamespace: v.namespace,
      pvName: v.volumeName,
      backupMethod: 'PodVolumeBackup',
      snapshotDataMoved: false,
      preserveLocalSnapshot: false,
      skipped: false,
      result: 'succeeded',
      pvInfo: { reclaimPolicy: v.reclaimPolicy ?? 'Delete', labels: {} },
    }));
}

/** <backup>-results.gz: Velero shows these in `velero describe`. */
export function veleroResults(
  volumes: readonly VolumeOutcome[],
  warnings: readonly string[],
  repositoryOf: (namespace: string) => string,
): object {
  const namespaces: Record<string, string[]> = {};
  for (const v of volumes) {
    if (v.result !== 'protected') continue;
    namespaces[v.namespace] ??= [];
    namespaces[v.namespace]?.push(
      `${v.pvc ? `persistentvolumeclaims/${v.pvc}` : sourceName(v)}: data is in restic repository ${repositoryOf(v.namespace)}, snapshot ${v.snapshot}`,
    );
  }
  return {
    errors: {},
    warnings: {
      ...(warnings.length > 0 && { cluster: [...warnings] }),
      ...(Object.keys(namespaces).length > 0 && { namespaces }),
    },
  };
}
