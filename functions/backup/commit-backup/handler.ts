import { findJson } from '../../adapters/s3/documents.ts';
import { BackupName } from '../../contract/states.ts';
import { BackupRecord } from '../../core/backup/record.ts';
import { clusterKeys, primaryVault, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { settings } from '../../runtime/settings.ts';
import { commitBackup } from './commit.ts';

/** Decides the phase and writes Velero's documents, then the signed record. The recovery point exists from then on. */
export const handler = lambdaHandler('commit-backup', BackupName, async ({ plan, backup }, { now }) => {
  const vault = primaryVault();
  const keys = clusterKeys();
  const record =
    (await findJson(vault, BackupRecord, keys.records.record(backup))) ??
    (await commitBackup({ vault, keys, cluster: settings().cluster, now, signer: recordKey() }, backup));
  await releaseLease(vault, keys.leases.backup(plan), backup);
  return {
    plan,
    backup,
    phase: record.phase,
    items: record.resources?.items ?? 0,
    volumes: record.volumes.length,
    reasons: record.reasons.length,
  };
});
