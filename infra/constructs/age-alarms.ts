import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { lambdaName } from '../../functions/contract/functions.ts';
import { METRICS } from '../../functions/contract/metrics.ts';
import { tooOldSeconds } from '../config/interval.ts';
import { type ClusterAlarmContext, clusterAlarm, holdfastMetric } from './cluster-alarms.ts';
import { executionsUrl, functionLogUrl } from './console.ts';

/** Four alarms for each plan, on what grows too old: `rpo`, or an age that follows from the schedule. */
export function ageAlarms(scope: Construct, context: ClusterAlarmContext): void {
  for (const plan of context.cluster.plans) {
    const tooOld = tooOldSeconds(plan, context.cluster.jobs.deadlineHours);
    if (tooOld === undefined) {
      Annotations.of(scope).addWarningV2(
        'holdfast:no-age-alarms',
        `plan ${plan.name} has no alarms on the age of its recovery points: no interval follows from "${plan.schedule}"; set rpo`,
      );
      continue;
    }
    planAlarms(scope, context, plan.name, tooOld);
  }
}

function planAlarms(scope: Construct, context: ClusterAlarmContext, plan: string, tooOld: number): void {
  const { cluster, primary, machines } = context;
  const runs = executionsUrl(primary.region, machines.backup.stateMachine.stateMachineArn);
  const alarm = (
    what: string,
    rest: Omit<Parameters<typeof clusterAlarm>[2], 'name' | 'rings' | 'withoutData'>,
  ) =>
    clusterAlarm(scope, context, {
      name: `${plan}/${what}`,
      rings: { above: tooOld },
      withoutData: 'stays', // the alarm on the measurement rings: see vault-alarms.ts
      ...rest,
    });
  const age = duration(tooOld);
  alarm('recovery-point', {
    severity: 'critical',
    means: `Plan ${plan} has no Completed recovery point of the last ${age}.`,
    runbook: 'recovery-point-too-old',
    console: runs,
    metric: holdfastMetric(context, METRICS.recoveryPointAge, { plan }),
  });
  alarm('partially-failed', {
    severity: 'warning',
    means: `All recovery points of plan ${plan} have been PartiallyFailed for more than ${age}.`,
    runbook: 'partiallyfailed-only',
    console: runs,
    metric: holdfastMetric(context, METRICS.partiallyFailed, { plan }),
  });
  alarm('volume', {
    severity: 'critical',
    means: `A volume of plan ${plan} has no good snapshot of the last ${age}.`,
    runbook: 'volume-without-a-good-snapshot',
    console: functionLogUrl(primary.region, lambdaName(cluster.name, 'measure-vault')),
    metric: holdfastMetric(context, METRICS.volumeAge, { plan }),
  });
  alarm('replica', {
    severity: 'critical',
    means: `Plan ${plan} has no recovery point of the last ${age} that is proven in the replica.`,
    runbook: 'replica-too-old',
    console: executionsUrl(primary.region, machines.replicate.stateMachine.stateMachineArn),
    metric: holdfastMetric(context, METRICS.replicaAge, { plan }),
  });
}

/** `31 hours`, `90 minutes`, `8 days and 7 hours`. */
export function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes % 60 !== 0) return `${minutes} minutes`;
  const hours = minutes / 60;
  if (hours <= 72) return `${hours} ${hours === 1 ? 'hour' : 'hours'}`;
  return [`${Math.floor(hours / 24)} days`, ...(hours % 24 > 0 ? [`${hours % 24} hours`] : [])].join(' and ');
}
