/** Namespace of Holdfast's metrics in CloudWatch. */
export const METRICS_NAMESPACE = 'Holdfast';

/** Names of the metrics; alarms and dashboards are made on these. */
export const METRICS = {
  /** What one verification read, found and mended; dimension Cluster. */
  bytesVerified: 'BytesVerified',
  objectsDamaged: 'ObjectsDamaged',
  objectsHealed: 'ObjectsHealed',
  objectsLost: 'ObjectsLost',
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];
export type MetricUnit = 'Count' | 'Bytes' | 'Seconds';
