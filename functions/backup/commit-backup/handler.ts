import { BackupName } from '../../contract/states.ts';
import { clusterKeys, masterSecret, primaryVault, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { releaseLease } from '../../runtime/leases.ts';
import { repositoryOpener } from '../../runtime/repositories.ts';
import { settings } from '../../runtime/settings.ts';
import { findEnded } from '../../runtime/signed-records.ts';
import { commitBackup } from './commit.ts';

/** Decides the phase and writes Velero's documents, then the signed record. The recovery point exists from then on. */
export const handler = lambdaHandler('commit-backup', BackupName, async ({ plan, backup }, { now }) => {
  const vault = primaryVault();
  const keys = clusterKeys();
  const key = recordKey();
  const openRepository = repositoryOpener(vault, keys, masterSecret);
  const record =
    (await findEnded(vault, keys.records.record(backup), key))?.record ??
    (await commitBackup(
      { vault, keys, cluster: settings().cluster, now, signer: key, openRepository },
      backup,
    ));
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
