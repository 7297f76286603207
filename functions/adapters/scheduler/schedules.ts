import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';

/** When a schedule of EventBridge Scheduler was created; undefined if it does not exist. */
export async function scheduleCreatedAt(
  region: string,
  group: string,
  name: string,
): Promise<Date | undefined> {
  try {
    const found = await new SchedulerClient({ region }).send(
      new GetScheduleCommand({ GroupName: group, Name: name }),
    );
    return found.CreationDate;
  } catch (cause) {
    if ((cause as Error).name === 'ResourceNotFoundException') return undefined;
    throw new HoldfastError('VaultUnavailable', `schedule ${group}/${name}: ${messageOf(cause)}`, { cause });
  }
}
