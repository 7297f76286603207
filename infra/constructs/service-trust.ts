import { Aws } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';

/**
 * A service of AWS that acts for resources of this account alone: another account cannot have the service use the role for
 * resources of its own. `sourceArns`: these resources, perhaps with wildcards.
 *
 * Not for lambda.amazonaws.com, which does not document these keys when it assumes the role of a function. Lambda takes only
 * roles of the function's own account, from callers with iam:PassRole.
 */
export const serviceFor = (service: string, ...sourceArns: string[]): ServicePrincipal =>
  new ServicePrincipal(service, {
    conditions: {
      StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
      ArnLike: { 'aws:SourceArn': sourceArns },
    },
  });

/** EventBridge Scheduler, for the schedules of a group of this stack's region. */
export const schedulerFor = (group: string): ServicePrincipal =>
  serviceFor(
    'scheduler.amazonaws.com',
    `arn:${Aws.PARTITION}:scheduler:${Aws.REGION}:${Aws.ACCOUNT_ID}:schedule-group/${group}`,
  );

/** Step Functions, for a state machine of this stack's region, its versions and its Map runs. */
export const statesFor = (machine: string): ServicePrincipal =>
  serviceFor(
    'states.amazonaws.com',
    `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:stateMachine:${machine}`,
    `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:stateMachine:${machine}/*`,
    `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:stateMachine:${machine}:*`,
  );
