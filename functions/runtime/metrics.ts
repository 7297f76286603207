import { METRICS_NAMESPACE, type MetricName, type MetricUnit } from '../contract/metrics.ts';

/** A metric as a line of CloudWatch's embedded metric format: CloudWatch makes the metric of it, no call is needed. */
export function metricLine(
  name: MetricName,
  value: number,
  unit: MetricUnit,
  dimensions: Readonly<Record<string, string>>,
  at: Date,
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: at.getTime(),
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: [Object.keys(dimensions)],
          Metrics: [{ Name: name, Unit: unit }],
        },
      ],
    },
    ...dimensions,
    [name]: value,
  });
}

/** Writes a metric to the log, past the console: Lambda's would put words before the JSON. */
export function emitMetric(
  name: MetricName,
  value: number,
  unit: MetricUnit,
  dimensions: Readonly<Record<string, string>>,
  at = new Date(),
): void {
  process.stdout.write(`${metricLine(name, value, unit, dimensions, at)}\n`);
}
