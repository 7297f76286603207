import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';

/**
 * `critical`: what is lost now cannot be restored, or somebody tampers with it: act at once. `warning`: protection holds,
 * and ends if nobody acts: act within a working day. `info`: something happened that somebody should know.
 */
export type Severity = 'critical' | 'warning' | 'info';

/** The SNS topic that an alarm of the primary region is sent to; undefined: it is in CloudWatch only. */
export const topicOf = (
  severity: Severity,
  { topicArn, warningTopicArn }: Config['alarms'],
): string | undefined => (severity === 'critical' ? topicArn : (warningTopicArn ?? topicArn));

/** What an alarm is without data: in ALARM, in the state that it has, or OK. */
const WITHOUT_DATA = {
  rings: TreatMissingData.BREACHING,
  stays: TreatMissingData.IGNORE,
  ends: TreatMissingData.NOT_BREACHING,
} as const;

export interface RunbookAlarmProps {
  readonly name: string;
  readonly severity: Severity;
  /** The problem when the alarm is in ALARM, as a sentence. */
  readonly means: string;
  /** Heading of docs/runbook.md, as its anchor. */
  readonly runbook: string;
  /** Where to look first: a link into the AWS console. */
  readonly console: string;
  readonly metric: IMetric;
  /** Threshold: the alarm triggers above it, or below it. */
  readonly rings: { readonly above: number } | { readonly below: number };
  /** Number of consecutive periods. Default: 1. */
  readonly periods?: number;
  readonly withoutData: keyof typeof WITHOUT_DATA;
  /** SNS topic of the alarm's region. */
  readonly topicArn: string | undefined;
}

export const FIVE_MINUTES = Duration.minutes(5);

/** A CloudWatch alarm whose description gives its severity, its meaning, its section of the runbook and a console link. */
export class RunbookAlarm extends Construct {
  constructor(scope: Construct, props: RunbookAlarmProps) {
    super(scope, `alarm-${props.name}`);
    const { name, severity, means, runbook, console, metric, rings, withoutData, topicArn } = props;
    const alarm = new Alarm(this, 'Alarm', {
      alarmName: name,
      alarmDescription: `${severity.toUpperCase()}: ${means} What to do: docs/runbook.md#${runbook} Where to look: ${console}`,
      metric,
      threshold: 'above' in rings ? rings.above : rings.below,
      evaluationPeriods: props.periods ?? 1,
      comparisonOperator:
        'above' in rings ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      treatMissingData: WITHOUT_DATA[withoutData],
    });
    if (topicArn) alarm.addAlarmAction(new SnsAction(Topic.fromTopicArn(this, 'Topic', topicArn)));
  }
}
