import { machineName } from '../../functions/contract/names.ts';
import type { Ask, Who } from './ask.ts';
import { arnOf, physicalName, resolveText } from './resolve.ts';
import {
  type ByHand,
  functions,
  machines,
  ofType,
  replicationRole,
  schedules,
  service,
} from './templates-of.ts';
import type { Variant } from './variants.ts';

// What services of AWS do by themselves, written from their documentation.

/** A service takes a role. `source`: for whom, as confused-deputy conditions see it. */
function assumes(name: string, resource: string, account: string, source?: string): Omit<Ask, 'source'> {
  return {
    who: service(name),
    action: 'sts:AssumeRole',
    resource,
    context: source === undefined ? {} : { 'aws:SourceAccount': account, 'aws:SourceArn': source },
  };
}

const TRUST: readonly ByHand[] = [
  {
    name: 'Lambda takes the role of each function',
    asks: (variant) =>
      functions(variant).flatMap(([, properties, stack]) => {
        const role = resolveText(properties.Role, stack);
        return [assumes('lambda', role, stack.account)];
      }),
  },
  {
    name: 'Step Functions takes the role of each machine',
    asks: (variant) =>
      machines(variant).map(([id, properties, stack]) =>
        assumes('states', resolveText(properties.RoleArn, stack), stack.account, arnOf(id, stack)),
      ),
  },
  {
    // AWS names the group, never the schedule.
    name: 'EventBridge Scheduler takes the role of each schedule',
    asks: (variant) =>
      schedules(variant).map(([, { Target, GroupName }, stack]) => {
        const { account, region } = stack;
        const role = resolveText((Target as { RoleArn: unknown }).RoleArn, stack);
        const group = resolveText(GroupName, stack);
        const source = `arn:aws:scheduler:${region}:${account}:schedule-group/${group}`;
        return assumes('scheduler', role, account, source);
      }),
  },
  {
    name: 'S3 takes the role of the replication',
    asks: (variant) => {
      const role = replicationRole(variant);
      const { account, bucket } = variant.copies.primary;
      return role ? [assumes('s3', role.arn, account, `arn:aws:s3:::${bucket}`)] : [];
    },
  },
];

const SERVICES: readonly ByHand[] = [
  {
    name: 'Lambda writes the log of each function',
    asks: (variant) =>
      functions(variant).flatMap(([id, , stack]) => {
        const { account, region } = stack;
        const name = physicalName(id, stack);
        const who: Who = { kind: 'function', name };
        const group = `arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${name}`;
        const resource = `${group}:log-stream:2026/01/01/[$LATEST]0123456789abcdef`;
        return ['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ who, action, resource }));
      }),
  },
  {
    name: 'Step Functions sets up the delivery of each machine’s log',
    asks: (variant) =>
      machines(variant)
        .filter(([, { LoggingConfiguration }]) => LoggingConfiguration !== undefined)
        .flatMap(([id, , stack]) =>
          LOG_DELIVERY.map((action) => ({
            who: { kind: 'machine', name: physicalName(id, stack) } as const,
            action: `logs:${action}`,
            resource: '*',
          })),
        ),
  },
  {
    name: 'a machine that waits for another one is told of its end by a rule, and can stop it',
    asks: (variant) => childrenOf(variant).flatMap(waiting),
  },
  {
    name: 'a distributed Map starts, sees, stops and redrives executions of its own machine',
    asks: (variant) =>
      variant.config.clusters.flatMap(({ name }) => {
        const machine = machineName(name, 'backup');
        const { account, region } = variant.copies.primary;
        const arn = (kind: string) => `arn:aws:states:${region}:${account}:${kind}:${machine}`;
        const who: Who = { kind: 'machine', name: machine };
        return [
          { who, action: 'states:StartExecution', resource: arn('stateMachine') },
          { who, action: 'states:DescribeExecution', resource: `${arn('execution')}:run` },
          { who, action: 'states:StopExecution', resource: `${arn('execution')}:run` },
          { who, action: 'states:RedriveExecution', resource: `${arn('execution')}/map:run` },
        ];
      }),
  },
  {
    // The world lives too short for most of them.
    name: 'each schedule starts what it is for',
    asks: (variant) =>
      schedules(variant).map(([, { Target, GroupName, Name }, stack]) => {
        const resource = resolveText((Target as { Arn: unknown }).Arn, stack);
        const group = resolveText(GroupName, stack);
        const who: Who = { kind: 'schedule', group, name: resolveText(Name, stack) };
        const action = resource.includes(':stateMachine:')
          ? 'states:StartExecution'
          : 'lambda:InvokeFunction';
        return { who, action, resource };
      }),
  },
  {
    name: 'a start that failed goes to the queue of dead letters',
    asks: (variant) =>
      schedules(variant).flatMap(([, { Target, GroupName, Name }, stack]) => {
        const queue = (Target as { DeadLetterConfig?: { Arn: unknown } }).DeadLetterConfig?.Arn;
        const group = resolveText(GroupName, stack);
        const who: Who = { kind: 'schedule', group, name: resolveText(Name, stack) };
        return queue ? [{ who, action: 'sqs:SendMessage', resource: resolveText(queue, stack) }] : [];
      }),
  },
];

/** A service of AWS writes logs of a resource into a bucket. */
function delivers(name: string, bucket: string, account: string, source: string): Omit<Ask, 'source'>[] {
  const context = { 'aws:SourceAccount': account, 'aws:SourceArn': source };
  const key = `AWSLogs/${account}/x`;
  const ask = (action: string, resource: string) => ({ who: service(name), action, resource, context });
  return [
    ...(name === 'cloudtrail' ? [ask('s3:GetBucketAcl', `arn:aws:s3:::${bucket}`)] : []),
    ask('s3:PutObject', `arn:aws:s3:::${bucket}/${key}`),
  ];
}

const LOGS: readonly ByHand[] = [
  {
    name: 'CloudTrail writes the events of a trail',
    asks: ({ model }) =>
      ofType(model, 'AWS::CloudTrail::Trail').flatMap(([id, { S3BucketName }, stack]) =>
        delivers('cloudtrail', resolveText(S3BucketName, stack), stack.account, arnOf(id, stack)),
      ),
  },
  {
    name: 'S3 writes the access log of a bucket',
    asks: ({ model }) =>
      ofType(model, 'AWS::S3::Bucket').flatMap(([id, { LoggingConfiguration }, stack]) => {
        const to = (LoggingConfiguration as { DestinationBucketName?: unknown } | undefined)
          ?.DestinationBucketName;
        if (to === undefined) return [];
        return delivers('logging.s3', resolveText(to, stack), stack.account, arnOf(id, stack));
      }),
  },
];

const LOG_DELIVERY = [
  ...['CreateLogDelivery', 'GetLogDelivery', 'UpdateLogDelivery', 'DeleteLogDelivery', 'ListLogDeliveries'],
  ...['PutResourcePolicy', 'DescribeResourcePolicies', 'DescribeLogGroups'],
];

/** Machines that start others, with what they start. */
function childrenOf(variant: Variant) {
  return machines(variant).flatMap(([id, { DefinitionString, DefinitionSubstitutions = {} }, stack]) => {
    if (!JSON.stringify(DefinitionString).includes('startExecution.sync')) return [];
    const known = Object.values(DefinitionSubstitutions as object).map((value) => resolveText(value, stack));
    return known
      .filter((arn) => arn.includes(':stateMachine:'))
      .map((child) => ({ child, machine: physicalName(id, stack), stack }));
  });
}

function waiting({ child, machine, stack }: ReturnType<typeof childrenOf>[number]): Omit<Ask, 'source'>[] {
  const who: Who = { kind: 'machine', name: machine };
  const execution = `${child.replace(':stateMachine:', ':execution:')}:0123`;
  const rule = `arn:aws:events:${stack.region}:${stack.account}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule`;
  return [
    ...['states:DescribeExecution', 'states:StopExecution'].map((action) => ({
      who,
      action,
      resource: execution,
    })),
    ...['events:PutTargets', 'events:PutRule', 'events:DescribeRule'].map((action) => ({
      who,
      action,
      resource: rule,
    })),
  ];
}

export const SERVICE_CALLS: readonly ByHand[] = [...TRUST, ...SERVICES, ...LOGS];
