import { createJson } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { type BackupRef, OpenBackupRequest } from '../../contract/states.ts';
import { backupName } from '../../core/backup/backup-name.ts';
import { holderText } from '../../core/vault/lease.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { leaseHolder, leasesOf, releaseLease, takeLease } from '../../runtime/leases.ts';
import { logRun } from '../../runtime/logging.ts';
import { planSettings, settings } from '../../runtime/settings.ts';
import { lookAtCluster } from './look.ts';

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
    const skipped = (reason: string): BackupRef => ({ plan: planName, backup, outcome: 'skipped', reason });
    const leases = leasesOf(vault, now);
    const restore = await leaseHolder(leases, k.leases.restore);
    if (restore) return skipped(`${holderText(restore)} is at work in this cluster`);
    const other = await takeLease(leases, k.leases.backup(planName), { work: backup, execution });
    if (other?.work === backup) return skipped(`execution ${other.execution} is making this backup`);
    if (other) {
      const message = `backup ${holderText(other)} of plan ${planName} is still running`;
      throw new HoldfastError('BackupInProgress', message, { hint: 'Wait for it, or stop its execution' });
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
