import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { MACHINES, type Machine, scheduleGroupName } from '../../functions/contract/names.ts';
import { FIVE_MINUTES } from './alarm.ts';
import { type ClusterAlarmContext, clusterAlarm } from './cluster-alarms.ts';
import { executionsUrl, queuesUrl, schedulesUrl } from './console.ts';

/** The ways in which an execution does not succeed. Three alarms cost as much as one on their sum, and each says which it was. */
const ENDS = [
  ['failed', 'ExecutionsFailed', 'failed: its last state names the error'],
  ['timed-out', 'ExecutionsTimedOut', 'ran for a day and was ended'],
  ['aborted', 'ExecutionsAborted', 'was stopped'],
] as const;

/** Alarms on executions that do not succeed, on starts that failed, and on any restore. The metrics are AWS's own. */
export function machineAlarms(scope: Construct, context: ClusterAlarmContext): void {
  const { primary, machines, deadLetters, locked, cluster } = context;
  const metric = (machine: Machine, name: string): Metric =>
    machines[machine].stateMachine.metric(name, { statistic: Stats.SUM, period: FIVE_MINUTES });
  for (const machine of MACHINES.filter((name) => name !== 'lock' || locked))
    for (const [what, metricName, happened] of ENDS)
      clusterAlarm(scope, context, {
        name: `${machine}/${what}`,
        severity: 'warning',
        means: `An execution of the ${machine} machine ${happened}.`,
        runbook: 'execution-failed',
        console: executionsUrl(primary.region, machines[machine].stateMachine.stateMachineArn),
        metric: metric(machine, metricName),
        rings: { above: 0 },
        withoutData: 'ends',
      });
  clusterAlarm(scope, context, {
    name: 'restore/started',
    severity: 'info',
    means: 'A restore was started.',
    runbook: 'restore-started',
    console: executionsUrl(primary.region, machines.restore.stateMachine.stateMachineArn),
    metric: metric('restore', 'ExecutionsStarted'),
    rings: { above: 0 },
    withoutData: 'ends',
  });
  clusterAlarm(scope, context, {
    name: 'dead-letters',
    severity: 'warning',
    means: `A schedule could not start its machine: see the queue, and ${schedulesUrl(primary.region, scheduleGroupName(cluster.name))}`,
    runbook: 'start-failed',
    console: queuesUrl(primary.region),
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({
      statistic: Stats.MAXIMUM,
      period: FIVE_MINUTES,
    }),
    rings: { above: 0 },
    withoutData: 'ends',
  });
}
