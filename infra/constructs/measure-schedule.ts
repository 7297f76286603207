import { Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, type CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { MEASURE_MINUTES, MEASURE_SCHEDULE } from '../../functions/contract/names.ts';
import { schedulerFor } from './service-trust.ts';

export interface MeasureScheduleProps {
  readonly group: CfnScheduleGroup;
  readonly function: IFunction;
}

/** Measures the vault every quarter of an hour. One that is missed is not made up for: the next one says all. */
export class MeasureSchedule extends Construct {
  constructor(scope: Construct, props: MeasureScheduleProps) {
    super(scope, `schedule-${MEASURE_SCHEDULE}`);
    const role = new Role(this, 'Role', { assumedBy: schedulerFor(props.group.ref) });
    props.function.grantInvoke(role);
    const schedule = new CfnSchedule(this, 'Schedule', {
      name: MEASURE_SCHEDULE,
      groupName: props.group.ref,
      scheduleExpression: `rate(${MEASURE_MINUTES} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: props.function.functionArn,
        roleArn: role.roleArn,
        input: '{}',
        retryPolicy: { maximumRetryAttempts: 0 },
      },
    });
    schedule.node.addDependency(role);
  }
}
