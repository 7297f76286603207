import { findJson } from '../adapters/s3/documents.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import { newestFirst, parseBackupName } from '../core/backup-name.ts';
import { HoldfastError } from '../core/errors.ts';
import { BackupRecord } from '../core/record.ts';
import type { VaultKeys } from '../core/vault-keys.ts';

/** A recovery point by name, or the newest Completed one for `latest`. */
export async function findRecoveryPoint(
  vault: Vault,
  k: VaultKeys,
  name: string,
  plan: string | undefined,
): Promise<BackupRecord> {
  if (name !== 'latest') {
    const record = parseBackupName(name) && (await findJson(vault, BackupRecord, k.records.record(name)));
    if (record?.resources) return record;
    const why = record
      ? `failed and holds nothing: ${record.reasons.join('; ')}`
      : `is not in bucket ${vault.bucket}`;
    throw new HoldfastError('RecoveryPointNotFound', `recovery point ${name} ${why}`, {
      hint: 'Use the name of another one, or "latest"',
    });
  }
  for (const folder of newestFirst(await vault.folders(k.records.root), plan)) {
    const record = await findJson(vault, BackupRecord, k.records.record(folder));
    if (record?.phase === 'Completed') return record;
  }
  throw new HoldfastError(
    'RecoveryPointNotFound',
    `no Completed recovery point${plan ? ` of plan ${plan}` : ''} in bucket ${vault.bucket}`,
    {
      hint: 'Name one that is PartiallyFailed, or read the other copy with "from": "replica"',
    },
  );
}
