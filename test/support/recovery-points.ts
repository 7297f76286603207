import { createHash } from 'node:crypto';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Signer } from '../../functions/ports/signing-key.ts';
import { putSignedRecord } from '../../functions/runtime/signed-records.ts';
import { recordOf, resourcesOf } from './builders.ts';
import type { MemoryVault } from './memory-vault.ts';
import { archiveOf, type Thing } from './restores.ts';

/** A recovery point of these objects, of the cluster `paris` and the namespace `shop`, in a copy of the vault. */
export async function putRecoveryPoint(
  vault: MemoryVault,
  backup: string,
  things: readonly Thing[],
  { signer, ...over }: Partial<BackupRecord> & { readonly signer: Signer },
): Promise<BackupRecord> {
  const keys = vaultKeys('paris');
  const { body, sha256 } = await archiveOf(...things);
  const put = (key: string, bytes: Buffer) => {
    vault.objects.set(key, { body: bytes, metadata: {} });
    return { key, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const record = recordOf(backup, {
    resources: resourcesOf({
      items: things.length,
      bytes: things.reduce((sum, [, object]) => sum + JSON.stringify(object).length, 0),
      archiveBytes: body.length,
      sha256,
    }),
    objects: [
      put(keys.velero.archive(backup), body),
      put(keys.velero.resourceList(backup), Buffer.from(`list of ${backup}`)),
    ],
    ...over,
  });
  await putSignedRecord(vault, keys.records.record(backup), record, signer);
  return record;
}
