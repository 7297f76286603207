import { HoldfastError } from '../../contract/holdfast-error.ts';
import { newestFirst, parseBackupName } from '../../core/backup/backup-name.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { type FoundRecord, findSignedRecord } from '../../runtime/signed-records.ts';

/** Where recovery points are looked up. */
export interface FindContext {
  readonly vault: Vault;
  readonly keys: VaultKeys;
  readonly verifier: Verifier;
}

/**
 * A recovery point by name, or the newest Completed one for `latest`.
 *
 * @throws HoldfastError RecoveryPointNotFound, RecordForged, RecoveryPointDamaged.
 */
export async function findRecoveryPoint(
  { vault, keys, verifier }: FindContext,
  name: string,
  plan: string | undefined,
): Promise<FoundRecord> {
  const find = (backup: string) => findSignedRecord(vault, keys.records.record(backup), verifier);
  if (name !== 'latest') {
    const found = parseBackupName(name) && (await find(name));
    if (found?.record.resources) return found;
    const why = found
      ? `failed and holds nothing: ${found.record.reasons.join('; ')}`
      : `is not in bucket ${vault.bucket}`;
    throw new HoldfastError('RecoveryPointNotFound', `recovery point ${name} ${why}`, {
      hint: 'Name another recovery point, or use "latest"',
    });
  }
  for (const folder of newestFirst(await vault.folders(keys.records.root), plan)) {
    const found = await find(folder);
    if (found?.record.phase === 'Completed') return found;
  }
  throw new HoldfastError(
    'RecoveryPointNotFound',
    `no Completed recovery point${plan ? ` of plan ${plan}` : ''} in bucket ${vault.bucket}`,
    {
      hint: 'Name a PartiallyFailed one, or read the replica with "from": "replica"',
    },
  );
}
