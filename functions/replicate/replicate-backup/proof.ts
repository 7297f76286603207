import { createJson } from '../../adapters/s3/documents.ts';
import type { PerCopy } from '../../contract/copies.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { BackupRecord, ReplicaProof } from '../../core/backup/record.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { findSignedRecord } from '../../runtime/signed-records.ts';
import type { ReplicateResult } from './replicate.ts';

/**
 * The record whose recovery point is to be proven.
 *
 * @throws HoldfastError RecoveryPointNotFound; RecordForged; RecordUnsigned; RecoveryPointDamaged.
 */
export async function recordToProve(
  vault: Vault,
  keys: VaultKeys,
  backup: string,
  verifier: Verifier,
): Promise<BackupRecord> {
  const found = await findSignedRecord(vault, keys.records.record(backup), verifier);
  if (!found) throw new HoldfastError('RecoveryPointNotFound', `${backup} is not in bucket ${vault.bucket}`);
  if (found.signed) return found.record;
  throw new HoldfastError('RecordUnsigned', `the record of ${backup} has no signature`, {
    hint: 'A proof of the replica would say nothing of it. Run the plan again',
  });
}

/** Writes the proof of a replica that is complete into both copies. */
export async function writeProof(
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  backup: string,
  { objects, bytes, copied, read, now }: ReplicateResult & { readonly now: Date },
): Promise<void> {
  const { region, bucket } = replica;
  const provenAt = now.toISOString();
  const proof: ReplicaProof = { backup, region, bucket, provenAt, objects, bytes, copied, read };
  for (const vault of [replica, primary]) await createJson(vault, keys.records.replica(backup), proof);
}
