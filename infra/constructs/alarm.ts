import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

export interface RunbookAlarmProps {
  readonly name: string;
  /** What is wrong when it rings: a sentence. */
  readonly means: string;
  /** Heading of docs/runbook.md, as its anchor. */
  readonly runbook: string;
  readonly metric: IMetric;
  /** Rings above it. */
  readonly above: number;
  /** Periods of the metric, all of which must be above. */
  readonly periods: number;
  /** Whether silence is as bad. */
  readonly ringsWithoutData: boolean;
  /** SNS topic of the alarm's region. */
  readonly topicArn: string | undefined;
}

export const FIVE_MINUTES = Duration.minutes(5);

/** An alarm that says what to do. */
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
