import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { HoldfastError, messageOf } from '../../core/errors.ts';

/** Whether an execution has ended, whichever way. One that Step Functions no longer knows ended long ago. */
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
