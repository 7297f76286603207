import { createJson } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { ClusterSettings, PlanSettings } from '../../contract/settings.ts';
import type { BackupRef, OpenBackupRequest } from '../../contract/states.ts';
import { backupName } from '../../core/backup/backup-name.ts';
import { onlyPlan, planNamed } from '../../core/backup/plans.ts';
import { type Holder, holderText } from '../../core/vault/lease.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { leaseHolder, releaseLease, takeLease } from '../../runtime/leases.ts';
import { logRun } from '../../runtime/logging.ts';
import { findEnded } from '../../runtime/signed-records.ts';
import { lookAtCluster } from './look.ts';

/** What a backup is opened with. */
export interface OpenContext {
  readonly vault: Vault;
  readonly keys: VaultKeys;
  readonly settings: ClusterSettings;
  readonly now: Date;
  /** Verifies the record of a backup that exists already. */
  readonly verifier: Verifier;
  /** Calls `work` with a client that has the identity for backups. */
  withCluster<T>(work: (cluster: KubeClient) => Promise<T>): Promise<T>;
  /** Whether the holder of a lease has ended without releasing it. */
  isGone(holder: Holder): Promise<boolean>;
}

/**
 * Names a backup after its scheduled time, acquires its plan's lease and writes its work list, `work.json`. Idempotent:
 * the same event opens the same backup, and a call that was killed resumes when it is repeated.
 *
 * @throws HoldfastError BackupInProgress when an earlier backup of the plan is still running; PlanNotFound; InputInvalid;
 * RecordForged or RecordUnsigned when the backup has a record that Holdfast did not sign.
 */
export async function openBackup(
  context: OpenContext,
  { input, startedAt, execution }: OpenBackupRequest,
): Promise<BackupRef> {
  const { vault, keys, settings, verifier } = context;
  const plan = input.plan === undefined ? onlyPlan(settings) : planNamed(settings, input.plan);
  const backup = backupName(plan.name, new Date(input.scheduledTime ?? startedAt));
  logRun({ plan: plan.name, backup });
  const ref = (outcome: BackupRef['outcome'], reason?: string): BackupRef => ({
    plan: plan.name,
    backup,
    outcome,
    ...(reason && { reason }),
  });
  const ended = await findEnded(vault, keys.records.record(backup), verifier);
  if (ended?.done) return ref('finished');
  if (ended) return ref('skipped', `this backup has failed: ${ended.record.reasons.join('; ')}`);
  const restore = await leaseHolder(context, keys.leases.restore);
  if (restore) return ref('skipped', `${holderText(restore)} is running in this cluster`);
  const lease = keys.leases.backup(plan.name);
  const other = await takeLease(context, lease, { work: backup, execution });
  if (other?.work === backup) return ref('skipped', `execution ${other.execution} is running this backup`);
  if (other)
    throw new HoldfastError(
      'BackupInProgress',
      `backup ${holderText(other)} of plan ${plan.name} is still running`,
      { hint: 'Wait for it to end, or stop its execution' },
    );
  if (await vault.exists(keys.records.work(backup))) return ref('opened');
  try {
    await writeWork(context, plan, backup, input.tags);
  } catch (error) {
    await releaseLease(vault, lease, backup); // no later step knows the backup's name and could release it
    throw error;
  }
  return ref('opened');
}

async function writeWork(
  { vault, keys, settings, now, withCluster }: OpenContext,
  plan: PlanSettings,
  backup: string,
  tags: readonly string[] | undefined,
): Promise<void> {
  const seen = await withCluster((cluster) => lookAtCluster(cluster, plan, settings.controlPlane));
  await createJson(vault, keys.records.work(backup), {
    plan: plan.name,
    backup,
    startedAt: now.toISOString(),
    selection: plan.selection,
    ...(tags && { tags: [...new Set(tags)] }),
    ...seen,
  });
}
