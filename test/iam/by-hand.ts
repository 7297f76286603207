import { FUNCTION_NAMES, FUNCTIONS, lambdaName } from '../../functions/contract/functions.ts';
import { machineName, replicationRoleName } from '../../functions/contract/names.ts';
import { REPLICATED_ROOTS } from '../../infra/constructs/bucket-replication.ts';
import type { Ask, Who } from './ask.ts';
import type { Model } from './model.ts';
import { arnOf, type PlacedStack, physicalName, resolveText } from './resolve.ts';
import type { Variant } from './variants.ts';

/**
 * Calls that the emulator cannot record: AWS's services make them, or only a variant does that the emulator cannot run.
 * Written by hand from AWS's documentation, each with its name.
 */
export interface ByHand {
  readonly name: string;
  readonly asks: (variant: Variant) => readonly Omit<Ask, 'source'>[];
}

type Resources = readonly (readonly [
  id: string,
  properties: Readonly<Record<string, unknown>>,
  stack: PlacedStack,
])[];

function ofType({ stacks }: Model, type: string): Resources {
  return stacks.flatMap((stack) =>
    Object.entries(stack.resources)
      .filter(([, { Type }]) => Type === type)
      .map(([id, { Properties = {} }]) => [id, Properties, stack] as const),
  );
}

const service = (name: string): Who => ({ kind: 'service', name: `${name}.amazonaws.com` });
const functions = ({ model }: Variant) => ofType(model, 'AWS::Lambda::Function');
const machines = ({ model }: Variant) => ofType(model, 'AWS::StepFunctions::StateMachine');
const schedules = ({ model }: Variant) => ofType(model, 'AWS::Scheduler::Schedule');

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

const replicationRole = ({ model, copies }: Variant) =>
  model.roles.find(({ name }) => name === replicationRoleName(copies.primary.prefix));

const REPLICATION: readonly ByHand[] = [
  {
    name: 'S3 replicates objects that are encrypted and may be locked',
    asks: (variant) => {
      const role = replicationRole(variant);
      if (!role) return [];
      const { primary, replica } = variant.copies;
      const who: Who = { kind: 'role', name: role.name };
      const on = (bucket: string, actions: string[]) =>
        REPLICATED_ROOTS.flatMap((root) =>
          actions.map((name) => ({
            who,
            action: `s3:${name}`,
            resource: `arn:aws:s3:::${bucket}/${root}/c/x`,
          })),
        );
      const other = primary.account === replica.account ? [] : ['ObjectOwnerOverrideToBucketOwner'];
      return [
        ...['GetReplicationConfiguration', 'ListBucket'].map((name) => ({
          who,
          action: `s3:${name}`,
          resource: `arn:aws:s3:::${primary.bucket}`,
        })),
        ...on(primary.bucket, SOURCE),
        ...on(replica.bucket, ['ReplicateObject', 'ReplicateTags', ...other]),
        { who, action: 'kms:Decrypt', resource: `key-of:${primary.bucket}` },
        { who, action: 'kms:Encrypt', resource: `key-of:${replica.bucket}` },
        { who, action: 'kms:GenerateDataKey', resource: `key-of:${replica.bucket}` },
      ];
    },
  },
];

const ACCESS: readonly ByHand[] = [
  {
    // Its second call, the presigned GetCallerIdentity, needs no permission: nothing can allow or forbid it but a denial.
    name: 'functions with access to an EKS cluster ask where it is',
    asks: ({ config, copies }) =>
      config.clusters.flatMap(({ name: cluster, access }) => {
        if (access.kind !== 'eks') return [];
        const resource = `arn:aws:eks:${access.region}:${copies.primary.account}:cluster/${access.name}`;
        return FUNCTION_NAMES.filter((name) => FUNCTIONS[name].access !== 'none').map((name) => ({
          who: { kind: 'function', name: lambdaName(cluster, name) } as const,
          action: 'eks:DescribeCluster',
          resource,
        }));
      }),
  },
  {
    name: 'extend-locks reads and extends the locks of a recovery point, in both copies',
    asks: ({ config, copies }) => {
      const { objectLock } = config.vault;
      if (!objectLock) return [];
      return config.clusters.flatMap(({ name: cluster }) =>
        [copies.primary, copies.replica].flatMap(({ bucket }) =>
          ['velero', 'restic', 'records'].flatMap((root) =>
            lockAsks(cluster, bucket, `${root}/${cluster}/x/y`, objectLock),
          ),
        ),
      );
    },
  },
];

function lockAsks(
  cluster: string,
  bucket: string,
  key: string,
  { mode, days }: { readonly mode: string; readonly days: number },
): Omit<Ask, 'source'>[] {
  const who: Who = { kind: 'function', name: lambdaName(cluster, 'extend-locks') };
  const object = `arn:aws:s3:::${bucket}/${key}`;
  const set = {
    's3:object-lock-mode': mode.toUpperCase(),
    's3:object-lock-remaining-retention-days': String(days),
  };
  return [
    {
      who,
      action: 's3:ListBucketVersions',
      resource: `arn:aws:s3:::${bucket}`,
      context: { 's3:prefix': key },
    },
    { who, action: 's3:GetObjectRetention', resource: object },
    { who, action: 's3:PutObjectRetention', resource: object, context: set },
  ];
}

const SOURCE = [
  ...['GetObjectVersionForReplication', 'GetObjectVersionAcl', 'GetObjectVersionTagging'],
  ...['GetObjectRetention', 'GetObjectLegalHold'],
];

/** Every call that is written by hand, with the name under which findings and permissions show it. */
export const BY_HAND: readonly ByHand[] = [...TRUST, ...SERVICES, ...ACCESS, ...REPLICATION];
