import * as z from 'zod/mini';
import { METRICS, type MetricName } from '../../contract/metrics.ts';
import { clusterKeys, openCopies } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { emitMetric } from '../../runtime/metrics.ts';
import { settings } from '../../runtime/settings.ts';
import { measure } from './measure.ts';

/** Emits the age of each plan's newest recovery point and of its newest replica. Without one, it emits no metric. */
export const handler = lambdaHandler('measure-vault', z.strictObject({}), async (_, { now }) => {
  const { cluster, plans } = settings();
  const names = plans.map((plan) => plan.name);
  const ages = await measure(openCopies(), clusterKeys(), names, now);
  const emit = (metric: MetricName, plan: string, seconds: number | undefined) => {
    if (seconds !== undefined)
      emitMetric(metric, { value: seconds, unit: 'Seconds' }, { Cluster: cluster, Plan: plan }, now);
  };
  for (const [plan, { recoveryPointSeconds, replicaSeconds }] of ages) {
    emit(METRICS.recoveryPointAge, plan, recoveryPointSeconds);
    emit(METRICS.replicaAge, plan, replicaSeconds);
  }
  return { plans: names.length };
});
