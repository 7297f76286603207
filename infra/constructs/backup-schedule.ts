import type { Construct } from 'constructs';
import { scheduleName } from '../../functions/contract/names.ts';
import type { ClusterConfig } from '../config/schema.ts';
import { MachineSchedule, type MachineScheduleProps } from './machine-schedule.ts';

export interface BackupScheduleProps extends Pick<MachineScheduleProps, 'group' | 'machine' | 'deadLetters'> {
  readonly plan: ClusterConfig['plans'][number];
}

/** Starts the backups of a plan on its schedule, in its time zone. The scheduled time names the backup. */
export class BackupSchedule extends MachineSchedule {
  constructor(scope: Construct, { plan, ...props }: BackupScheduleProps) {
    super(scope, {
      ...props,
      name: scheduleName(plan.name),
      schedule: plan.schedule,
      timeZone: plan.timeZone,
      input: { plan: plan.name, scheduledTime: '<aws.scheduler.scheduled-time>' },
    });
  }
}
