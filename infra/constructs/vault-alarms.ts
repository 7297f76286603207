import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { EXECUTION_TIMEOUT_SECONDS } from '../../functions/contract/execution-timeout.ts';
import { lambdaName } from '../../functions/contract/functions.ts';
import { METRICS } from '../../functions/contract/metrics.ts';
import { passOverdueSeconds } from '../config/interval.ts';
import { duration } from './age-alarms.ts';
import { FIVE_MINUTES } from './alarm.ts';
import { type ClusterAlarmContext, clusterAlarm, holdfastMetric } from './cluster-alarms.ts';
import { executionsUrl, folderUrl, functionLogUrl } from './console.ts';
import { LOCK_INTERVAL } from './machine-schedule.ts';

/** Alarms on what a cluster has in the vault: damage, forged records, passes that are overdue, and the measurement itself. */
export function vaultAlarms(scope: Construct, context: ClusterAlarmContext): void {
  measureAlarms(scope, context);
  verifyAlarms(scope, context);
  passAlarms(scope, context);
  const { primary, machines } = context;
  clusterAlarm(scope, context, {
    name: 'prune-refused',
    severity: 'warning',
    means: 'A prune was refused, because it would have removed more than prune.maxShare allows.',
    runbook: 'prune-refused',
    console: executionsUrl(primary.region, machines.prune.stateMachine.stateMachineArn),
    metric: holdfastMetric(context, METRICS.prunesRefused, { period: FIVE_MINUTES, statistic: Stats.SUM }),
    rings: { above: 0 },
    withoutData: 'ends',
  });
}

function measureAlarms(scope: Construct, context: ClusterAlarmContext): void {
  const { cluster, primary } = context;
  const log = functionLogUrl(primary.region, lambdaName(cluster.name, 'measure-vault'));
  clusterAlarm(scope, context, {
    name: 'measure',
    severity: 'critical',
    means: 'Nothing was measured for an hour: the ages of recovery points are not known.',
    runbook: 'nothing-measured',
    console: log,
    // Emitted last: where it is, everything was measured.
    metric: holdfastMetric(context, METRICS.recordsWithoutSignature, { statistic: Stats.SAMPLE_COUNT }),
    rings: { below: 1 },
    periods: 2,
    withoutData: 'rings',
  });
  clusterAlarm(scope, context, {
    name: 'signature',
    severity: 'critical',
    means: 'A record in the vault has no valid signature. It counts for nothing.',
    runbook: 'record-without-a-valid-signature',
    console: log,
    metric: holdfastMetric(context, METRICS.recordsWithoutSignature),
    rings: { above: 0 },
    withoutData: 'stays',
  });
  clusterAlarm(scope, context, {
    name: 'without-plan',
    severity: 'warning',
    means:
      'The vault has recovery points of plans that holdfast.yaml does not name. Nothing prunes them or extends their locks.',
    runbook: 'recovery-points-without-a-plan',
    console: folderUrl(primary.region, primary.bucket, `records/${cluster.name}/`),
    metric: holdfastMetric(context, METRICS.recoveryPointsWithoutPlan),
    rings: { above: 0 },
    withoutData: 'stays',
  });
}

/** The metrics are emitted with each report: an alarm keeps its state until the next one. */
function verifyAlarms(scope: Construct, context: ClusterAlarmContext): void {
  const { cluster, primary } = context;
  const reports = folderUrl(primary.region, primary.bucket, `records/${cluster.name}/_verify/`);
  const found = (name: string, metric: 'objectsLost' | 'objectsDamaged') => ({
    name,
    console: reports,
    metric: holdfastMetric(context, METRICS[metric]),
    rings: { above: 0 },
    withoutData: 'stays' as const,
  });
  clusterAlarm(scope, context, {
    ...found('objects-lost', 'objectsLost'),
    severity: 'critical',
    means: 'The last verification found objects that are good in neither copy.',
    runbook: 'objects-lost',
  });
  clusterAlarm(scope, context, {
    ...found('objects-damaged', 'objectsDamaged'),
    severity: 'warning',
    means: 'The last verification found objects that are damaged, missing or unproven in a copy.',
    runbook: 'objects-damaged',
  });
}

/** Passes that are overdue, by the longest gap of their schedules. */
function passAlarms(scope: Construct, context: ClusterAlarmContext): void {
  const { cluster, primary, machines, locked } = context;
  const overdue = (name: 'verify' | 'lock', what: string, after: number | undefined) => {
    if (after === undefined) return;
    const metric = name === 'verify' ? METRICS.verificationAge : METRICS.lockPassAge;
    clusterAlarm(scope, context, {
      name: `${name}/overdue`,
      severity: 'warning',
      means: `${what} has completed in the last ${duration(after)}.`,
      runbook: `${name}-overdue`,
      console: executionsUrl(primary.region, machines[name].stateMachine.stateMachineArn),
      metric: holdfastMetric(context, metric),
      rings: { above: after },
      withoutData: 'stays',
    });
  };
  const { enabled, schedule, timeZone } = cluster.verification;
  const timeout = EXECUTION_TIMEOUT_SECONDS;
  if (enabled) overdue('verify', 'No verification', passOverdueSeconds({ schedule, timeZone }, timeout));
  if (locked) overdue('lock', 'No pass that extends locks', passOverdueSeconds(LOCK_INTERVAL, timeout));
}
