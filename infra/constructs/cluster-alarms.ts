import { Duration } from 'aws-cdk-lib';
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { VaultCopy } from '../../functions/contract/copies.ts';
import { METRICS_NAMESPACE, type MetricName } from '../../functions/contract/metrics.ts';
import { type Machine, MEASURE_MINUTES } from '../../functions/contract/names.ts';
import type { ClusterConfig, Config } from '../config/schema.ts';
import { RunbookAlarm, type RunbookAlarmProps, topicOf } from './alarm.ts';
import type { AslMachine } from './asl-machine.ts';

/** What the alarms of a cluster watch. */
export interface ClusterAlarmContext {
  readonly cluster: ClusterConfig;
  readonly alarms: Config['alarms'];
  readonly primary: VaultCopy;
  readonly machines: Readonly<Record<Machine, Pick<AslMachine, 'stateMachine'>>>;
  readonly deadLetters: Queue;
  /** Whether the vault has Object Lock. */
  readonly locked: boolean;
}

/** Two measurements: one that is late does not trigger an alarm. */
const TWO_LOOKS = Duration.minutes(2 * MEASURE_MINUTES);

/** An alarm of a cluster, named `holdfast/<cluster>/<name>`. */
export function clusterAlarm(
  scope: Construct,
  { cluster, alarms }: ClusterAlarmContext,
  { name, severity, ...props }: Omit<RunbookAlarmProps, 'topicArn'>,
): void {
  const topicArn = topicOf(severity, alarms);
  new RunbookAlarm(scope, { name: `holdfast/${cluster.name}/${name}`, severity, ...props, topicArn });
}

/** A metric that Holdfast emits for a cluster, or for one of its plans. */
export function holdfastMetric(
  { cluster }: Pick<ClusterAlarmContext, 'cluster'>,
  metricName: MetricName,
  { plan, period = TWO_LOOKS, statistic = Stats.MAXIMUM }: MetricOptions = {},
): IMetric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { Cluster: cluster.name, ...(plan !== undefined && { Plan: plan }) },
    statistic,
    period,
  });
}

interface MetricOptions {
  readonly plan?: string;
  readonly period?: Duration;
  readonly statistic?: string;
}
