import { messageOf } from '../../contract/holdfast-error.ts';
import { METRICS, type MetricName } from '../../contract/metrics.ts';
import { logger } from '../../runtime/logging.ts';
import { emitMetric } from '../../runtime/metrics.ts';
import type { Measured, PlanMeasured } from './measure.ts';

/** Names that one line of the log has at most; the number is always complete. */
const NAMES = 50;

/**
 * Emits the metrics of a look, and logs the names behind them. The number of records without a signature comes last and
 * only if everything was measured: an alarm rings without it.
 *
 * @throws The first error of what could not be measured, after all else is emitted.
 */
export function report(cluster: string, measured: Measured, now: Date): void {
  const emit = (metric: MetricName, value: number | undefined, unit: 'Seconds' | 'Count', plan?: string) => {
    const dimensions = { Cluster: cluster, ...(plan !== undefined && { Plan: plan }) };
    if (value !== undefined) emitMetric(metric, { value, unit }, dimensions, now);
  };
  for (const plan of measured.plans) {
    emit(METRICS.recoveryPointAge, plan.recoveryPointSeconds, 'Seconds', plan.plan);
    emit(METRICS.partiallyFailed, plan.partiallyFailedSeconds, 'Seconds', plan.plan);
    emit(METRICS.volumeAge, plan.volumeSeconds, 'Seconds', plan.plan);
    emit(METRICS.replicaAge, plan.replicaSeconds, 'Seconds', plan.plan);
    logBehind(plan);
  }
  emit(METRICS.verificationAge, measured.verificationSeconds, 'Seconds');
  emit(METRICS.lockPassAge, measured.lockPassSeconds, 'Seconds');
  emit(METRICS.recoveryPointsWithoutPlan, measured.withoutPlan.length, 'Count');
  logNames('recovery points of plans that are not configured', measured.withoutPlan);
  logNames('records without a valid signature', measured.doubtful);
  for (const error of measured.errors) logger.error(`not measured: ${messageOf(error)}`);
  if (measured.errors.length > 0) throw measured.errors[0];
  emit(METRICS.recordsWithoutSignature, measured.doubtful.length, 'Count');
}

function logBehind({ plan, behind }: PlanMeasured): void {
  const names = behind.map(({ volume, since }) => `${volume} since ${since.toISOString()}`);
  logNames(`plan ${plan}: volumes without a good snapshot in the newest recovery point`, names);
}

function logNames(what: string, names: readonly string[]): void {
  if (names.length > 0) logger.warn(what, { count: names.length, names: names.slice(0, NAMES) });
}
