import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import { FIVE_MINUTES, RunbookAlarm } from './alarm.ts';
import { REPLICATED_ROOTS } from './bucket-replication.ts';
import { bucketMetricsUrl } from './console.ts';

interface Between {
  readonly from: VaultCopy;
  readonly to: VaultCopy;
  readonly topicArn: string | undefined;
}

const metricOf = ({ from, to }: Between, metricName: string, RuleId: string, statistic: string): Metric =>
  new Metric({
    namespace: 'AWS/S3',
    metricName,
    dimensionsMap: { SourceBucket: from.bucket, DestinationBucket: to.bucket, RuleId },
    statistic,
    period: FIVE_MINUTES,
  });

/** Alarms on failed operations, a metric that S3 publishes in the region of the source. */
export function failureAlarms(scope: Construct, between: Between): void {
  for (const root of REPLICATED_ROOTS)
    new RunbookAlarm(scope, {
      name: `${between.from.prefix}-replication-failed-${root}`,
      severity: 'warning',
      console: bucketMetricsUrl(between.from.region, between.from.bucket),
      means: `S3 failed to replicate objects under ${root}/ to ${between.to.region}.`,
      runbook: 'replication-failed',
      metric: metricOf(between, 'OperationsFailedReplication', root, Stats.SUM),
      rings: { above: 0 },
      withoutData: 'ends',
      topicArn: between.topicArn,
    });
}

/** Alarms on latency, a metric that S3 publishes in the region of the replica, in the account of the source. */
export function latencyAlarms(scope: Construct, between: Between, timeControl: boolean): void {
  for (const root of REPLICATED_ROOTS)
    new RunbookAlarm(scope, {
      name: `${between.from.prefix}-replication-late-${root}`,
      severity: 'warning',
      console: bucketMetricsUrl(between.from.region, between.from.bucket),
      means: `Replication of objects under ${root}/ to ${between.to.region} is late.`,
      runbook: 'replication-late',
      metric: metricOf(between, 'ReplicationLatency', root, Stats.MAXIMUM),
      rings: { above: timeControl ? 900 : 3600 },
      periods: 3,
      withoutData: 'ends',
      topicArn: between.topicArn,
    });
}
