import { decode, encode } from '../adapters/s3/documents.ts';
import { HoldfastError } from '../core/errors.ts';
import { BackupRecord } from '../core/record.ts';
import { isSignedBy, signedPart, withSignature } from '../core/signature.ts';
import { backupOfRecordKey } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';

/** The two halves of a signing key, each had only by those who need it. */
export interface Signer {
  sign(document: Buffer): Promise<string>;
}
export interface Verifier {
  publicKey(): Promise<Buffer>;
}

/** A record as it was found, and whether it is signed. One whose signature is wrong is not returned but thrown. */
export interface FoundRecord {
  readonly record: BackupRecord;
  readonly signed: boolean;
}

/** Writes a record with the signature of its very bytes. */
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
 * Reads a record and verifies its signature; undefined when it is not there.
 *
 * @throws HoldfastError RecordForged when the signature is not that of these bytes.
 */
export async function findSignedRecord(
  vault: Vault,
  key: string,
  verifier: Verifier,
): Promise<FoundRecord | undefined> {
  const found = await vault.find(key);
  return found && verifiedRecord(vault, key, found.body, verifier);
}

/** The record of which these are the bytes. A signed one below the key of another recovery point is forged, too. */
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
    hint: 'Read the other copy, and find out who could write to this one',
  });
}
