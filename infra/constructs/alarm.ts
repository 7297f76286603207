import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface RunbookAlarmProps {
  readonly name: string;
  /** The problem when the alarm is in ALARM, as a sentence. */
  readonly means: string;
  /** Heading of docs/runbook.md, as its anchor. */
  readonly runbook: string;
  readonly metric: IMetric;
  /** Threshold; the alarm triggers above it. */
  readonly above: number;
  /** Number of consecutive periods above the threshold. */
  readonly periods: number;
  /** Whether missing data also triggers the alarm. */
  readonly ringsWithoutData: boolean;
  /** SNS topic of the alarm's region. */
  readonly topicArn: string | undefined;
}

export const FIVE_MINUTES = Duration.minutes(5);

/** A CloudWatch alarm whose description links to the runbook. */
export class RunbookAlarm extends Construct {
  constructor(scope: Construct, props: RunbookAlarmProps) {
    super(scope, `alarm-${props.name}`);
    const { name, means, runbook, metric, above, periods, ringsWithoutData, topicArn } = props;
    const alarm = new Alarm(this, 'Alarm', {
      alarmName: name,
      alarmDescription: `${means} What to do: docs/runbook.md#${runbook}`,
      metric,
      threshold: above,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      treatMissingData: ringsWithoutData ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    if (topicArn) alarm.addAlarmAction(new SnsAction(Topic.fromTopicArn(this, 'Topic', topicArn)));
  }
}
