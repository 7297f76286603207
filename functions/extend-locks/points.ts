import pMap from 'p-map';
import { findJson } from '../adapters/s3/documents.ts';
import { parseBackupName } from '../core/backup-name.ts';
import type { FoundPoint } from '../core/object-lock.ts';
import { ReplicaProof } from '../core/record.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';
import { type FoundRecord, findSignedRecord, type Verifier } from '../runtime/signed-records.ts';

const CONCURRENCY = 8;

/** The recovery points of one copy. Backups that are still at work have none. */
export async function findPoints(
  vault: Vault,
  keys: VaultKeys,
  copy: 'primary' | 'replica',
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

/** A record that was changed is not a reason to let go of what it was the record of. */
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
