import { findJson } from '../adapters/s3/documents.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import { parseBackupName } from '../core/backup-name.ts';
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
  const names = (await vault.folders(k.records.root))
    .map((folder) => ({ folder, parsed: parseBackupName(folder) }))
    .filter(({ parsed }) => parsed && (plan === undefined || parsed.plan === plan))
    .sort((a, b) => (b.parsed?.at.getTime() ?? 0) - (a.parsed?.at.getTime() ?? 0));
  for (const { folder } of names) {
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
