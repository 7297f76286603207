import { createJson, leaseHolder, releaseLease, takeLease } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { type BackupRef, OpenBackupRequest } from '../../contract/states.ts';
import { backupName } from '../../core/backup/backup-name.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { holderIsGone, holderName } from '../../runtime/leases.ts';
import { logRun } from '../../runtime/logging.ts';
import { planSettings, settings } from '../../runtime/settings.ts';
import { lookAtCluster } from './look.ts';

/** As long as an execution may take. One that ends without giving its lease back frees it by having ended. */
const LEASE_SECONDS = 24 * 3600;

/** Names the backup, takes its lease and writes its work list. The same event twice is the same backup. */
export const handler = lambda(
  'open-backup',
  OpenBackupRequest,
  async ({ input, startedAt, execution }, { now }): Promise<BackupRef> => {
    const planName = input.plan ?? onlyPlan();
    const plan = planSettings(planName);
    const at = new Date(input.scheduledTime ?? startedAt);
    const backup = backupName(planName, at);
    logRun({ plan: planName, backup });
    const vault = primaryVault();
    const k = keys();
    if (await vault.exists(k.records.record(backup))) return { plan: planName, backup, outcome: 'finished' };
    const restore = await leaseHolder(vault, k.leases.restore, now, holderIsGone);
    if (restore)
      return {
        plan: planName,
        backup,
        outcome: 'skipped',
        reason: `${restore} is at work in this cluster`,
      };
    const skipped = (reason: string): BackupRef => ({ plan: planName, backup, outcome: 'skipped', reason });
    const other = await takeLease(
      vault,
      k.leases.backup(planName),
      holderName(backup, execution),
      now,
      LEASE_SECONDS,
      holderIsGone,
    );
    if (other?.startsWith(`${backup}/`)) return skipped(`execution ${other} is making this backup`);
    if (other) {
      const hint = 'Wait for it, or stop its execution';
      throw new HoldfastError('BackupInProgress', `backup ${other} of plan ${planName} is still running`, {
        hint,
      });
    }
    if (await vault.exists(k.records.work(backup))) return { plan: planName, backup, outcome: 'opened' };
    try {
      const seen = await withCluster('backup', now, (cluster) =>
        lookAtCluster(cluster, plan, settings().controlPlane),
      );
      const work = {
        plan: planName,
        backup,
        startedAt: now.toISOString(),
        selection: plan.selection,
        ...(input.tags && { tags: [...new Set(input.tags)] }),
        ...seen,
      };
      await createJson(vault, k.records.work(backup), work);
    } catch (error) {
      await releaseLease(vault, k.leases.backup(planName), backup); // nobody after this step knows whose it is
      throw error;
    }
    return { plan: planName, backup, outcome: 'opened' };
  },
);

function onlyPlan(): string {
  const { plans } = settings();
  if (plans.length === 1) return (plans[0] as { name: string }).name;
  throw new HoldfastError('InputInvalid', 'plan: the cluster has several plans', {
    hint: `Name one: {"plan": "${plans[0]?.name}"}`,
  });
}
