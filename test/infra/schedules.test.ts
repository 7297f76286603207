import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { allowed, clusterTemplate } from './support.ts';

const template = clusterTemplate();
const deadLetters = Object.keys(template.findResources('AWS::SQS::Queue'));

test('each plan has a schedule in its time zone, in the cluster’s group', () => {
  template.hasResourceProperties('AWS::Scheduler::ScheduleGroup', { Name: 'holdfast-prod' });
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Name: 'backup-nightly',
    GroupName: { Ref: 'Schedules' },
    ScheduleExpression: 'cron(0 2 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Berlin',
    FlexibleTimeWindow: { Mode: 'OFF' },
  });
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Name: 'backup-hourly',
    ScheduleExpression: 'rate(1 hour)',
    ScheduleExpressionTimezone: 'UTC',
  });
});

test('a schedule starts the backup machine with the plan and the scheduled instant', () => {
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Name: 'backup-nightly',
    Target: {
      Arn: { Ref: Match.stringLikeRegexp('^machinebackup') },
      Input: '{"plan":"nightly","scheduledTime":"<aws.scheduler.scheduled-time>"}',
    },
  });
});

test('a start that fails is tried again and then kept as a dead letter', () => {
  expect(deadLetters).toHaveLength(1);
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Target: {
      DeadLetterConfig: { Arn: { 'Fn::GetAtt': [deadLetters[0], 'Arn'] } },
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 },
    },
  });
});

test('dead letters are encrypted, come by TLS alone, and stay for 14 days', () => {
  template.hasResourceProperties('AWS::SQS::Queue', {
    SqsManagedSseEnabled: true,
    MessageRetentionPeriod: 14 * 24 * 3600,
  });
  template.hasResourceProperties('AWS::SQS::QueuePolicy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      ]),
    },
  });
});

test('the role of a schedule may start the backup machine and write a dead letter, no more', () => {
  expect(allowed(template, 'backup-nightly', 'states:StartExecution')).toEqual([
    expect.stringMatching(/^<machinebackup/),
  ]);
  expect(allowed(template, 'backup-nightly', 'sqs:SendMessage')).toEqual([`<${deadLetters[0]}.Arn>`]);
});

test('the vault is verified by a schedule of its own, with an empty input, and by one role that may start nothing else', () => {
  template.resourceCountIs('AWS::Scheduler::Schedule', 3);
  template.hasResourceProperties('AWS::Scheduler::Schedule', {
    Name: 'verification',
    ScheduleExpression: 'cron(0 4 ? * 1 *)',
    ScheduleExpressionTimezone: 'UTC',
    Target: { Arn: { Ref: Match.stringLikeRegexp('^machineverify') }, Input: '{}' },
  });
  expect(allowed(template, 'verification', 'states:StartExecution')).toEqual([
    expect.stringMatching(/^<machineverify/),
  ]);
});

test('a verification that is switched off has no schedule', () => {
  const off = clusterTemplate(undefined, {
    verification: { enabled: false, schedule: '0 4 * * 0', timeZone: 'UTC', parts: 7 },
  });
  off.resourceCountIs('AWS::Scheduler::Schedule', 2);
});
