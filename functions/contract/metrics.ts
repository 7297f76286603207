/** Namespace of Holdfast's metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'Holdfast';

/** Names of the metrics that alarms and dashboards use. */
export const METRICS = {
  /** Results of one verification: bytes read, objects damaged, healed and lost. Dimension Cluster. */
  bytesVerified: 'BytesVerified',
  objectsDamaged: 'ObjectsDamaged',
  objectsHealed: 'ObjectsHealed',
  objectsLost: 'ObjectsLost',
  /** A prune that was refused because it would have removed too much. Dimension Cluster. */
  prunesRefused: 'PrunesRefused',
  /** Age of a plan's newest Completed recovery point, and of the newest one that is proven in the replica. Dimensions Cluster, Plan. */
  recoveryPointAge: 'RecoveryPointAgeSeconds',
  replicaAge: 'ReplicaAgeSeconds',
  /** How long a plan's recovery points have been PartiallyFailed only; 0 if the newest is Completed. Dimensions Cluster, Plan. */
  partiallyFailed: 'PartiallyFailedSeconds',
  /** Age of the oldest last good snapshot of the volumes of a plan's newest recovery point. Dimensions Cluster, Plan. */
  volumeAge: 'VolumeAgeSeconds',
  /** Since when the last completed verification, and the last completed pass that extended locks, began. Dimension Cluster. */
  verificationAge: 'VerificationAgeSeconds',
  lockPassAge: 'LockPassAgeSeconds',
  /** Records without a valid signature among those that were read. Emitted last: without it, nothing was measured. Dimension Cluster. */
  recordsWithoutSignature: 'RecordsWithoutSignature',
  /** Recovery points of plans that holdfast.yaml does not name. Dimension Cluster. */
  recoveryPointsWithoutPlan: 'RecoveryPointsWithoutPlan',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
export type MetricUnit = 'Count' | 'Bytes' | 'Seconds';
