import { Metrics } from '@aws-lambda-powertools/metrics';
import type { ErrorName } from '../contract/errors.ts';
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

/** Does some work. If it fails with an error of this name, that is counted in a metric; the error is thrown on. */
export async function countErrors<T>(
  error: ErrorName,
  metric: MetricName,
  dimensions: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === error)
      emitMetric(metric, { value: 1, unit: 'Count' }, dimensions);
    throw thrown;
  }
}
