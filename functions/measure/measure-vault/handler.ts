import * as z from 'zod/mini';
import { scheduleCreatedAt } from '../../adapters/scheduler/schedules.ts';
import { scheduleGroupName } from '../../contract/names.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import { clusterKeys, openCopies, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { settings } from '../../runtime/settings.ts';
import { measure } from './measure.ts';
import { report } from './report.ts';

/** Measures the ages of what protects a cluster from signed records, emits them as metrics and logs the names behind them. */
export const handler = lambdaHandler('measure-vault', z.strictObject({}), async (_, { now }) => {
  const { cluster, plans, retired = [], vault } = settings();
  let publicKey: Promise<Buffer> | undefined; // requested once per call
  const verifier: Verifier = { publicKey: () => (publicKey ??= recordKey().publicKey()) };
  const measured = await measure({
    copies: openCopies(),
    keys: clusterKeys(),
    verifier,
    plans: plans.map(({ name }) => name),
    retired: retired.map(({ name }) => name),
    locked: vault.objectLock !== undefined,
    now,
    createdAt: (schedule) => scheduleCreatedAt(vault.region, scheduleGroupName(cluster), schedule),
  });
  report(cluster, measured, now);
  return { plans: measured.plans.length, doubtful: measured.doubtful.length };
});
