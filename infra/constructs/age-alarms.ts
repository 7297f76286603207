import { Duration } from 'aws-cdk-lib';
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { METRICS, METRICS_NAMESPACE, type MetricName } from '../../functions/contract/metrics.ts';
import { seconds } from '../config/duration.ts';
import type { ClusterConfig, Config } from '../config/schema.ts';
import { RunbookAlarm } from './alarm.ts';

/** Two alarms for each plan with an rpo. They also trigger if no recovery point exists. */
export function ageAlarms(scope: Construct, cluster: ClusterConfig, alarms: Config['alarms']): void {
  for (const { name: plan, rpo } of cluster.plans) {
    if (rpo === undefined) continue;
    const alarm = (what: string, metricName: MetricName, means: string) =>
      new RunbookAlarm(scope, {
        name: `holdfast-${cluster.name}-${plan}-${what}`,
        means: `${means} of plan ${plan} is older than ${rpo}, or does not exist.`,
        runbook: `${what}-too-old`,
        metric: new Metric({
          namespace: METRICS_NAMESPACE,
          metricName,
          dimensionsMap: { Cluster: cluster.name, Plan: plan },
          statistic: Stats.MAXIMUM,
          period: Duration.minutes(30), // two measurements: one that is late does not trigger the alarm
        }),
        above: seconds(rpo),
        periods: 1,
        ringsWithoutData: true,
        topicArn: alarms.topicArn,
      });
    alarm('recovery-point', METRICS.recoveryPointAge, 'The newest recovery point');
    alarm('replica', METRICS.replicaAge, 'The newest recovery point verified in the DR region');
  }
}
