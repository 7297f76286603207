/** Namespace of Holdfast's metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'Holdfast';

/** Names of the metrics that alarms and dashboards use. */
export const METRICS = {
  /** Results of one verification: bytes read, objects damaged, healed and lost. Dimension Cluster. */
  bytesVerified: 'BytesVerified',
  objectsDamaged: 'ObjectsDamaged',
  objectsHealed: 'ObjectsHealed',
  objectsLost: 'ObjectsLost',
  /** Age of a plan's newest recovery point, and of the newest one that is proven in the replica. Dimensions Cluster, Plan. */
  recoveryPointAge: 'RecoveryPointAgeSeconds',
  replicaAge: 'ReplicaAgeSeconds',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
export type MetricUnit = 'Count' | 'Bytes' | 'Seconds';
