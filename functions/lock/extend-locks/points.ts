import pMap from 'p-map';
import { findJson } from '../../adapters/s3/documents.ts';
import type { CopyName } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { ReplicaProof } from '../../core/backup/record.ts';
import type { FoundPoint } from '../../core/retention/object-lock.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { type FoundRecord, findSignedRecord } from '../../runtime/signed-records.ts';

const CONCURRENCY = 8;

/** The recovery points of one copy. Backups that are in progress are left out. */
export async function findPoints(
  vault: Vault,
  keys: VaultKeys,
  copy: CopyName,
  verifier: Verifier,
): Promise<FoundPoint[]> {
  const names = (await vault.folders(keys.records.root)).filter((name) => parseBackupName(name));
  const find = async (backup: string): Promise<FoundPoint[]> => {
    const found = await read(vault, keys.records.record(backup), verifier);
    if (!found) return [];
    const proof = await findJson(vault, ReplicaProof, keys.records.replica(backup));
    const record = found === 'doubtful' || !found.signed ? undefined : found.record;
    const since = copy === 'primary' ? record?.completedAt : proof?.provenAt;
    return [
      { backup, record, replicated: proof !== undefined, wholeSince: since ? new Date(since) : undefined },
    ];
  };
  return (await pMap(names, find, { concurrency: CONCURRENCY })).flat();
}

/** A record that is forged or damaged is `doubtful`: its recovery point stays locked. */
async function read(
  vault: Vault,
  key: string,
  verifier: Verifier,
): Promise<FoundRecord | 'doubtful' | undefined> {
  try {
    return await findSignedRecord(vault, key, verifier);
  } catch (error) {
    if (['RecordForged', 'RecoveryPointDamaged'].includes((error as Error).name)) return 'doubtful';
    throw error;
  }
}
