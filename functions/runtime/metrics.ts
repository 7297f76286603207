import { Metrics } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE, type MetricName, type MetricUnit } from '../contract/metrics.ts';

/** The value of a metric. */
interface Measurement {
  readonly value: number;
  readonly unit: MetricUnit;
}

/**
 * Writes a metric to the log in CloudWatch's embedded metric format, which needs no API call. The metric has exactly the
 * given dimensions, because alarms match all of them: the default dimension of Powertools, `service`, is removed.
 */
export function emitMetric(
  name: MetricName,
  { value, unit }: Measurement,
  dimensions: Readonly<Record<string, string>>,
  at = new Date(),
): void {
  const metrics = new Metrics({ namespace: METRICS_NAMESPACE });
  metrics.clearDefaultDimensions();
  metrics.addDimensions({ ...dimensions });
  metrics.setTimestamp(at);
  metrics.addMetric(name, unit, value);
  metrics.publishStoredMetrics();
}
