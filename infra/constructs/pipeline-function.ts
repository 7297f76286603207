import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  FUNCTIONS,
  type FunctionName,
  type FunctionSpec,
  lambdaName,
} from '../../functions/contract/functions.ts';

export interface PipelineFunctionProps {
  readonly cluster: string;
  readonly name: FunctionName;
  /** Folder with index.mjs and the cluster's settings. */
  readonly code: string;
  readonly environment: Record<string, string>;
}

/** One Lambda of the pipeline, with a role of its own that can at first do nothing but write its log. */
export class PipelineFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, props: PipelineFunctionProps) {
    super(scope, props.name);
    const functionName = lambdaName(props.cluster, props.name);
    const spec: FunctionSpec = FUNCTIONS[props.name];
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // Named, because a replica in another account admits its roles by name.
    this.role = new Role(this, 'Role', {
      roleName: functionName,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    const log = `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:/aws/lambda/${functionName}:*`;
    this.role.addToPolicy(
      new PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [log] }),
    );
    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.X86_64,
      handler: 'index.handler',
      code: Code.fromAsset(props.code),
      memorySize: spec.memoryMiB,
      timeout: Duration.seconds(spec.timeoutSeconds),
      role: this.role,
      logGroup,
      environment: {
        ...props.environment,
        ...(spec.nodeOptions !== undefined && { NODE_OPTIONS: spec.nodeOptions }),
      },
    });
  }
}
