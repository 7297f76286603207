import { quantity } from '../../contract/quantity.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { ID_ANNOTATION, runLabels } from '../kubernetes/run-labels.ts';
import type { WorkVolume } from './work.ts';

/** A volume whose data is read from a CSI snapshot. */
export interface SnapshotVolume extends WorkVolume {
  readonly pvc: string;
  readonly csi: NonNullable<WorkVolume['csi']>;
}

export const fromSnapshot = <V extends WorkVolume>(v: V): v is V & SnapshotVolume =>
  v.strategy === 'snapshot' && v.csi !== undefined && v.pvc !== undefined;

/** State of a volume's snapshot. `taken`: its point in time is fixed, so the application may resume. */
export interface SnapshotState {
  readonly state: 'waiting' | 'ready' | 'failed';
  readonly taken: boolean;
  /** What it waits for, or why it failed. */
  readonly message?: string | undefined;
  /** Minimum size of a claim created from it, as a quantity. */
  readonly restoreSize?: string | undefined;
}

/** Markers of the default class in Velero and in Kubernetes. */
const VELERO_CLASS = 'velero.io/csi-volumesnapshot-class';
const DEFAULT_CLASS = 'snapshot.storage.kubernetes.io/is-default-class';

type Named = { readonly name: string } | { readonly problem: string };

/**
 * The VolumeSnapshotClass of a volume: the one that its rule names, else the one of its driver that has Velero's label,
 * else the driver's default, else the driver's only one. A class with deletionPolicy Retain would leave a snapshot with every backup.
 */
export function snapshotClassFor(
  classes: readonly KubeObject[],
  { driver, snapshotClass }: SnapshotVolume['csi'],
): Named {
  const ofDriver = classes.filter((c) => (c as { driver?: string }).driver === driver);
  const chosen = snapshotClass
    ? classes.find((c) => c.metadata.name === snapshotClass)
    : (ofDriver.find((c) => c.metadata.labels?.[VELERO_CLASS] === 'true') ??
      ofDriver.find((c) => c.metadata.annotations?.[DEFAULT_CLASS] === 'true') ??
      (ofDriver.length === 1 ? ofDriver[0] : undefined));
  if (!chosen) {
    if (snapshotClass) return { problem: `the VolumeSnapshotClass ${snapshotClass} does not exist` };
    const found = ofDriver.map((c) => c.metadata.name).join(', ') || 'none';
    return {
      problem: `no VolumeSnapshotClass is the default of the driver ${driver} (it has: ${found}); name one as snapshotClass in the rule`,
    };
  }
  const { name } = chosen.metadata;
  const { driver: its, deletionPolicy } = chosen as { driver?: string; deletionPolicy?: string };
  if (its !== driver)
    return { problem: `the VolumeSnapshotClass ${name} belongs to the driver ${its}, not ${driver}` };
  if (deletionPolicy === 'Retain')
    return {
      problem: `the VolumeSnapshotClass ${name} retains snapshots, which would accumulate; name one with deletionPolicy: Delete as snapshotClass in the rule`,
    };
  return { name };
}

/** Why a temporary claim cannot use a storage class; undefined if it can. */
export function temporaryClassProblem(classes: readonly KubeObject[], name: string): string | undefined {
  const found = classes.find((c) => c.metadata.name === name);
  if (!found)
    return `the storage class ${name || '""'} does not exist; name one as temporaryStorageClass in the rule`;
  if ((found as { reclaimPolicy?: string }).reclaimPolicy !== 'Retain') return undefined;
  return `the storage class ${name} retains volumes, which would accumulate; name one with reclaimPolicy: Delete as temporaryStorageClass in the rule`;
}

/** How an object of a volume is called, and for which run it is. */
export interface NamedFor {
  readonly run: string;
  readonly name: string;
}

/** The VolumeSnapshot of a volume in a run. */
export function volumeSnapshot(of: NamedFor, v: SnapshotVolume, className: string): KubeObject {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: metadataOf(of, v),
    spec: { volumeSnapshotClassName: className, source: { persistentVolumeClaimName: v.pvc } },
  };
}

/** A snapshot that a temporary claim is created from, and the size that it needs, as a quantity. */
export interface ClaimSource {
  readonly snapshot: string;
  readonly restoreSize?: string | undefined;
}

/** The temporary claim for a volume's Job, created from its snapshot. */
export function temporaryClaim(
  of: NamedFor,
  v: SnapshotVolume,
  { snapshot, restoreSize }: ClaimSource,
): KubeObject {
  const larger = (quantity(restoreSize ?? '') ?? 0) > (quantity(v.csi.size) ?? 0);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadataOf(of, v),
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: v.csi.storageClass,
      resources: { requests: { storage: larger ? restoreSize : v.csi.size } },
      dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot },
    },
  };
}

const metadataOf = ({ run, name }: NamedFor, v: SnapshotVolume) => ({
  name,
  namespace: v.namespace,
  labels: runLabels(run),
  annotations: { [ID_ANNOTATION]: v.id },
});

interface Status {
  readyToUse?: boolean;
  creationTime?: string;
  restoreSize?: string;
  error?: { message?: string };
}

/**
 * State of a VolumeSnapshot. It has failed if it is not taken after `takeSeconds`. A taken snapshot may need hours to become
 * ready, up to `readySeconds`.
 */
export function snapshotState(
  object: KubeObject,
  now: Date,
  limits: { readonly takeSeconds: number; readonly readySeconds: number },
): SnapshotState {
  const { readyToUse, creationTime, restoreSize, error } = (object.status ?? {}) as Status;
  const taken = creationTime !== undefined;
  if (readyToUse) return { state: 'ready', taken: true, restoreSize };
  const since = Date.parse(String((object.metadata as { creationTimestamp?: string }).creationTimestamp));
  const waited = (now.getTime() - since) / 1000;
  const said = error?.message;
  const message = taken
    ? 'its snapshot is taken, but the storage has not finished it'
    : `its snapshot is not taken${said ? `: ${said}` : ''}`;
  const failed = waited >= (taken ? limits.readySeconds : limits.takeSeconds);
  return {
    state: failed ? 'failed' : 'waiting',
    taken,
    message: failed ? `${message} (for ${Math.floor(waited / 60)} min)` : message,
  };
}
