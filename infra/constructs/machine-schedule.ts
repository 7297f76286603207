import { Role } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule, type CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { eventBridgeSchedule } from '../config/cron.ts';
import { schedulerFor } from './service-trust.ts';

export interface MachineScheduleProps {
  readonly name: string;
  /** As holdfast.yaml has it. */
  readonly schedule: string;
  readonly timeZone: string;
  /** Input of the executions. */
  readonly input: object;
  readonly group: CfnScheduleGroup;
  readonly machine: StateMachine;
  readonly deadLetters: Queue;
}

/** When locks are extended: as in object-lock.md, whatever the plans' schedules are. */
export const LOCK_INTERVAL = { schedule: 'rate(1 day)', timeZone: 'UTC' } as const;

/** A start is retried for up to an hour. Then it goes to the dead-letter queue; the next scheduled start is not affected. */
const RETRY = { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 10 };

/** Starts a machine by a schedule, with a role of its own. */
export class MachineSchedule extends Construct {
  constructor(scope: Construct, props: MachineScheduleProps) {
    super(scope, props.name);
    const role = new Role(this, 'Role', { assumedBy: schedulerFor(props.group.ref) });
    props.machine.grantStartExecution(role);
    props.deadLetters.grantSendMessages(role);
    const schedule = new CfnSchedule(this, 'Schedule', {
      name: props.name,
      groupName: props.group.ref,
      scheduleExpression: eventBridgeSchedule(props.schedule),
      scheduleExpressionTimezone: props.timeZone,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: props.machine.stateMachineArn,
        roleArn: role.roleArn,
        input: JSON.stringify(props.input),
        deadLetterConfig: { arn: props.deadLetters.queueArn },
        retryPolicy: RETRY,
      },
    });
    schedule.node.addDependency(role);
  }
}
