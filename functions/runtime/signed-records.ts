import { decode, encode } from '../adapters/s3/documents.ts';
import { HoldfastError } from '../contract/holdfast-error.ts';
import { BackupRecord } from '../core/backup/record.ts';
import { isSignedBy, signedPart, withSignature } from '../core/vault/signature.ts';
import { backupOfRecordKey } from '../core/vault/vault-keys.ts';
import type { Signer, Verifier } from '../ports/signing-key.ts';
import type { Vault } from '../ports/vault.ts';

/** A record, and whether it has a valid signature. A record with a wrong signature is an error. */
export interface FoundRecord {
  readonly record: BackupRecord;
  readonly signed: boolean;
}

/** Writes a record with a signature of its exact bytes. */
export async function putSignedRecord(
  vault: Vault,
  key: string,
  record: BackupRecord,
  signer: Signer,
): Promise<void> {
  const document = encode(record);
  await vault.put(key, withSignature(document, await signer.sign(document)));
}

/**
 * Reads a record and verifies its signature; undefined if it does not exist.
 *
 * @throws HoldfastError RecordForged when the signature does not match; RecoveryPointDamaged when it is not a record.
 */
export async function findSignedRecord(
  vault: Vault,
  key: string,
  verifier: Verifier,
): Promise<FoundRecord | undefined> {
  const found = await vault.find(key);
  return found && verifiedRecord(vault, key, found.body, verifier);
}

/**
 * The record of a backup that has ended, for whoever asks whether there is anything left to do; undefined if it does not exist.
 * `done`: Holdfast signed it. A record without a signature is only the note of a backup that failed, which names no data.
 *
 * @throws HoldfastError RecordForged; RecordUnsigned when a record without a signature is more than such a note;
 * RecoveryPointDamaged when it is not a record.
 */
export async function findEnded(
  vault: Vault,
  key: string,
  verifier: Verifier,
): Promise<{ readonly record: BackupRecord; readonly done: boolean } | undefined> {
  const found = await findSignedRecord(vault, key, verifier);
  if (!found) return undefined;
  if (!found.signed && !isNoteOfFailure(found.record))
    throw new HoldfastError('RecordUnsigned', `${key} in bucket ${vault.bucket} has no signature`, {
      hint: 'Find out who wrote it, remove it, and start the backup again',
    });
  return { record: found.record, done: found.signed };
}

/** Whether a record says no more than that a backup failed: it is no evidence of any data. */
export const isNoteOfFailure = ({
  phase,
  volumes,
  objects,
  resources,
  controlPlane,
}: BackupRecord): boolean =>
  phase === 'Failed' && volumes.length === 0 && objects.length === 0 && !resources && !controlPlane;

/** Parses and verifies a record. A signed record under the key of another recovery point is forged, too. */
export async function verifiedRecord(
  { bucket }: Pick<Vault, 'bucket'>,
  key: string,
  body: Buffer,
  verifier: Verifier,
): Promise<FoundRecord> {
  const record = decode(BackupRecord, key, body);
  const parts = signedPart(body);
  const signed = parts && isSignedBy(await verifier.publicKey(), parts.signed, parts.signature);
  const own = backupOfRecordKey(record.cluster, key) === record.backup;
  if (own && signed !== false) return { record, signed: signed === true };
  const what = own ? 'is not what Holdfast signed' : `is the record of ${record.backup}`;
  throw new HoldfastError('RecordForged', `${key} in bucket ${bucket} ${what}`, {
    hint: 'Use the other copy, and find out who could write to this one',
  });
}
