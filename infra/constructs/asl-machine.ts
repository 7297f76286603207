import { readFileSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { distributedMaps, expandDefinition } from '../../functions/contract/asl.ts';
import { arnPlaceholder, type FunctionName } from '../../functions/contract/functions.ts';
import { type Machine, machineName } from '../../functions/contract/names.ts';
import { statesFor } from './service-trust.ts';

export interface AslMachineProps {
  readonly cluster: string;
  readonly machine: Machine;
  readonly functions: readonly (readonly [FunctionName, IFunction])[];
  /** Machines that this one starts and waits for, by placeholder. */
  readonly children?: Readonly<Record<string, StateMachine>>;
  /** Permissions of the machine itself, in addition to invoking functions: for example to read the items of a Map from S3. */
  readonly statements?: readonly PolicyStatement[];
  /**
   * The definition has a Map in DISTRIBUTED mode. Its items run as executions of the same machine, which must therefore be
   * allowed to start and stop itself. Declared explicitly, so that an edit of the ASL file alone cannot grant it.
   */
  readonly distributedMap?: boolean;
  /** Folder of the ASL files. */
  readonly directory?: URL;
}

const STATE_MACHINES = new URL('../../state-machines/', import.meta.url);

/**
 * Reads an ASL file, expands its shared blocks and checks the result. What remains are the placeholders that CloudFormation
 * fills: they and `known` must be the same set.
 */
export function readDefinition(file: URL, known: readonly string[]): string {
  const text = expandDefinition(readFileSync(file, 'utf8'), file.pathname);
  // The validator knows no placeholders: it sees what the file will look like on AWS.
  const plain = text
    .replace(/\$\{Partition\}/g, 'aws')
    .replace(/\$\{\w+\}/g, 'arn:aws:lambda:eu-west-1:123456789012:function:f');
  const result = aslValidator(JSON.parse(plain));
  if (!result.isValid) throw new Error(`${file.pathname} is not valid: ${result.errorsText('\n')}`);
  const used = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map((m) => m[1] as string));
  const unknown = [...used].filter((name) => !known.includes(name));
  const unused = known.filter((name) => !used.has(name));
  if (unknown.length > 0)
    throw new Error(`${file.pathname} uses \${${unknown.join('}, ${')}}, which nothing stands for`);
  if (unused.length > 0) throw new Error(`${file.pathname} does not use \${${unused.join('}, ${')}}`);
  return text;
}

/** A distributed Map without the prop would fail on AWS, and the prop without such a Map grants rights that nothing needs. */
function checkDistributedMap(
  file: URL,
  definition: string,
  { machine, distributedMap }: AslMachineProps,
): void {
  const maps = distributedMaps(definition);
  if (maps.length > 0 && !distributedMap)
    throw new Error(
      `${file.pathname}: state ${maps[0]} is a Map in DISTRIBUTED mode: give the machine ${machine} distributedMap: true`,
    );
  if (maps.length === 0 && distributedMap)
    throw new Error(
      `${file.pathname} has no Map in DISTRIBUTED mode: take distributedMap from the machine ${machine}`,
    );
}

/** A state machine from state-machines/<machine>.asl.json. It may invoke exactly the functions that it names. */
export class AslMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, props: AslMachineProps) {
    super(scope, `machine-${props.machine}`);
    const children = Object.entries(props.children ?? {});
    const substitutions: Record<string, string> = {
      Partition: Aws.PARTITION,
      ...Object.fromEntries(props.functions.map(([name, fn]) => [arnPlaceholder(name), fn.functionArn])),
      ...Object.fromEntries(children.map(([placeholder, machine]) => [placeholder, machine.stateMachineArn])),
    };
    const file = new URL(`${props.machine}.asl.json`, props.directory ?? STATE_MACHINES);
    const definition = readDefinition(file, Object.keys(substitutions));
    checkDistributedMap(file, definition, props);
    const stateMachineName = machineName(props.cluster, props.machine);
    const destination = new LogGroup(this, 'Log', {
      logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.stateMachine = new StateMachine(this, 'Machine', {
      stateMachineName,
      role: new Role(this, 'Role', { assumedBy: statesFor(stateMachineName) }),
      definitionBody: DefinitionBody.fromString(definition),
      definitionSubstitutions: substitutions,
      // Payloads stay out of the log: an input names namespaces and may hold what a person typed.
      logs: { destination, level: LogLevel.ERROR, includeExecutionData: false },
    });
    for (const [, fn] of props.functions) fn.grantInvoke(this.stateMachine);
    for (const statement of props.statements ?? []) this.stateMachine.addToRolePolicy(statement);
    if (props.distributedMap) this.grantDistributedMap(stateMachineName);
    if (children.length > 0) this.grantStart(children.map(([, machine]) => machine));
  }

  /** A distributed Map runs as child executions of its own machine. */
  private grantDistributedMap(name: string): void {
    const arn = (kind: string, rest: string) =>
      `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:${kind}:${name}${rest}`;
    const allow = (actions: string[], resource: string) =>
      this.stateMachine.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }));
    allow(['states:StartExecution'], arn('stateMachine', ''));
    allow(['states:DescribeExecution', 'states:StopExecution'], arn('execution', ':*'));
    allow(['states:RedriveExecution'], arn('execution', '/*'));
  }

  /** startExecution.sync:2 starts a machine, watches its execution, and is told of its end through an EventBridge rule. */
  private grantStart(machines: readonly StateMachine[]): void {
    const rule = `arn:${Aws.PARTITION}:events:${Aws.REGION}:${Aws.ACCOUNT_ID}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule`;
    const executions = machines.map(
      (m) => `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${m.stateMachineName}:*`,
    );
    const allow = (actions: string[], resources: string[]) =>
      this.stateMachine.addToRolePolicy(new PolicyStatement({ actions, resources }));
    allow(
      ['states:StartExecution'],
      machines.map((m) => m.stateMachineArn),
    );
    allow(['states:DescribeExecution', 'states:StopExecution'], executions);
    allow(['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], [rule]);
  }
}
