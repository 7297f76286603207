import { DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';

/** Whether an execution has ended, with any status. An execution that no longer exists has ended. */
export async function hasEnded(executionArn: string): Promise<boolean> {
  const region = executionArn.split(':')[3];
  const sfn = new SFNClient(region ? { region } : {});
  try {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
  } catch (cause) {
    if ((cause as Error).name === 'ExecutionDoesNotExist') return true;
    throw new HoldfastError('VaultUnavailable', `${executionArn}: ${messageOf(cause)}`, { cause });
  }
}

/** Names of a machine's running executions. Empty if the machine is not deployed. */
export async function runningExecutions(stateMachineArn: string): Promise<string[]> {
  const region = stateMachineArn.split(':')[3];
  const sfn = new SFNClient(region ? { region } : {});
  try {
    const { executions = [] } = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }),
    );
    return executions.map((e) => e.name as string);
  } catch (cause) {
    if ((cause as Error).name === 'StateMachineDoesNotExist') return [];
    throw new HoldfastError('VaultUnavailable', `${stateMachineArn}: ${messageOf(cause)}`, { cause });
  }
}
