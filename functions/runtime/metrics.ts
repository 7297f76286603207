import { Metrics } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE, type MetricName, type MetricUnit } from '../contract/metrics.ts';

/**
 * Writes a metric to the log as a line of CloudWatch's embedded metric format: CloudWatch makes the metric of it, no call
 * is needed. The metric has exactly these dimensions, because an alarm finds it by them: Powertools' own one, the
 * service, is taken away.
 */
export function emitMetric(
  name: MetricName,
  value: number,
  unit: MetricUnit,
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
