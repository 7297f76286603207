import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule, type CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { scheduleName } from '../../functions/contract/names.ts';
import { eventBridgeSchedule } from '../config/cron.ts';
import type { ClusterConfig } from '../config/schema.ts';

export interface BackupScheduleProps {
  readonly plan: ClusterConfig['plans'][number];
  readonly group: CfnScheduleGroup;
  readonly machine: StateMachine;
  readonly deadLetters: Queue;
}

/** A start is tried for up to an hour; then it is a dead letter, and the next one will come by itself. */
const RETRY = { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 };

/** Starts a plan's backups by its schedule, in its time zone. The scheduled instant names the backup. */
export class BackupSchedule extends Construct {
  constructor(scope: Construct, props: BackupScheduleProps) {
    super(scope, scheduleName(props.plan.name));
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('scheduler.amazonaws.com') });
    props.machine.grantStartExecution(role);
    props.deadLetters.grantSendMessages(role);
    const schedule = new CfnSchedule(this, 'Schedule', {
      name: scheduleName(props.plan.name),
      groupName: props.group.ref,
      scheduleExpression: eventBridgeSchedule(props.plan.schedule),
      scheduleExpressionTimezone: props.plan.timeZone,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: props.machine.stateMachineArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ plan: props.plan.name, scheduledTime: '<aws.scheduler.scheduled-time>' }),
        deadLetterConfig: { arn: props.deadLetters.queueArn },
        retryPolicy: RETRY,
      },
    });
    schedule.node.addDependency(role);
  }
}
