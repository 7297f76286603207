import { createHash } from 'node:crypto';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Signer } from '../../functions/ports/signing-key.ts';
import { putSignedRecord } from '../../functions/runtime/signed-records.ts';
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
  const record: BackupRecord = {
    version: 1,
    cluster: 'paris',
    plan: 'daily',
    backup,
    phase: 'Completed',
    reasons: [],
    startedAt: '2026-01-31T02:00:00Z',
    completedAt: '2026-01-31T02:01:00Z',
    namespaces: ['shop'],
    resources: {
      items: things.length,
      bytes: body.length,
      archiveBytes: body.length,
      sha256,
      resourceVersion: '1',
      consistency: 'exact',
      inexact: [],
      unreadable: [],
      types: {},
      shards: 1,
      seconds: 1,
    },
    volumes: [],
    excluded: [],
    unprotected: [],
    objects: [
      put(keys.velero.archive(backup), body),
      put(keys.velero.resourceList(backup), Buffer.from(`list of ${backup}`)),
    ],
    ...over,
  };
  await putSignedRecord(vault, keys.records.record(backup), record, signer);
  return record;
}
