import { createJson, findJson } from '../adapters/s3/documents.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import { PruneInput, type PruneRef } from '../contract/states.ts';
import { parseBackupName, stamp } from '../core/backup-name.ts';
import { PrunePlan, snapshotsToForget } from '../core/prune.ts';
import { BackupRecord } from '../core/record.ts';
import { decideRetention } from '../core/retention.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import { keys, primaryVault, replicaVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { planSettings } from '../runtime/settings.ts';

/** Decides what a plan's retention removes, writes that down, and removes records and objects from both copies. */
export const handler = lambda(
  'prune-backups',
  PruneInput,
  async ({ plan, dryRun = false, startedAt }): Promise<PruneRef> => {
    const [primary, replica, k] = [primaryVault(), replicaVault(), keys()];
    const prune = `${plan}-${stamp(new Date(startedAt))}`;
    const key = k.records.prune.plan(prune);
    const decided =
      (await findJson(primary, PrunePlan, key)) ?? (await decide(primary, k, plan, prune, dryRun));
    const remove = decided.decisions.filter((d) => !d.keep).map((d) => d.backup);
    if (remove.length > 0 || dryRun) await createJson(primary, key, decided);
    if (!dryRun)
      for (const backup of remove)
        for (const vault of [primary, replica]) await removeBackup(vault, k, backup);
    const forget = dryRun ? 0 : decided.forget.length;
    return { plan, prune, removed: remove.length, kept: decided.decisions.length - remove.length, forget };
  },
);

async function decide(
  vault: Vault,
  k: VaultKeys,
  plan: string,
  prune: string,
  dryRun: boolean,
): Promise<PrunePlan> {
  const names = (await vault.folders(k.records.root)).filter((name) => parseBackupName(name)?.plan === plan);
  const records: BackupRecord[] = [];
  const points = [];
  for (const name of names) {
    const record = await findJson(vault, BackupRecord, k.records.record(name));
    if (!record) continue; // not committed: still at work, or gone already
    records.push(record);
    const replicated = await vault.exists(k.records.replica(name));
    points.push({
      backup: name,
      at: (parseBackupName(name) as { at: Date }).at,
      phase: record.phase,
      replicated,
    });
  }
  const decisions = decideRetention(points, planSettings(plan).retention).map((d) => ({
    ...d,
    reasons: [...d.reasons],
  }));
  const going = new Set(decisions.filter((d) => !d.keep).map((d) => d.backup));
  return {
    plan,
    prune,
    dryRun,
    decisions,
    forget: snapshotsToForget(records.filter((r) => going.has(r.backup))),
  };
}

/** The record goes first: from then on the recovery point does not exist, whatever is left of its objects. */
async function removeBackup(vault: Vault, k: VaultKeys, backup: string): Promise<void> {
  await vault.remove([k.records.record(backup)]);
  for (const dir of [k.velero.dir(backup), k.records.dir(backup)]) {
    const left: string[] = [];
    for await (const o of vault.list(dir)) left.push(o.key);
    await vault.remove(left);
  }
}
