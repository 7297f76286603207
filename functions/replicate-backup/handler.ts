import { createJson, findJson } from '../adapters/s3/documents.ts';
import { BackupName } from '../contract/states.ts';
import { HoldfastError } from '../core/errors.ts';
import { ReplicaProof } from '../core/record.ts';
import { keys, primaryVault, recordKey, replicaVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { findSignedRecord } from '../runtime/signed-records.ts';
import { replicate } from './replicate.ts';

/** Time kept back to answer before Lambda ends the function. */
const RESERVE_MS = 30_000;

/** Copies what the replica lacks, as far as time allows; when nothing is missing any more, writes the proof. */
export const handler = lambda(
  'replicate-backup',
  BackupName,
  async ({ plan, backup }, { now, remainingMs }) => {
    const [primary, replica, k] = [primaryVault(), replicaVault(), keys()];
    const proven = await findJson(primary, ReplicaProof, k.records.replica(backup));
    if (proven) return { plan, backup, remaining: 0, objects: proven.objects, copied: proven.copied };
    const found = await findSignedRecord(primary, k.records.record(backup), recordKey());
    if (!found)
      throw new HoldfastError('RecoveryPointNotFound', `${backup} is not in bucket ${primary.bucket}`);
    const { record } = found;
    const result = await replicate(primary, replica, k, record, () => remainingMs() > RESERVE_MS);
    if (result.remaining === 0) {
      const { objects, bytes, copied, read } = result;
      const proof: ReplicaProof = {
        backup,
        region: replica.region,
        bucket: replica.bucket,
        provenAt: now.toISOString(),
        objects,
        bytes,
        copied,
        read,
      };
      await createJson(replica, k.records.replica(backup), proof);
      await createJson(primary, k.records.replica(backup), proof);
    }
    return { plan, backup, remaining: result.remaining, objects: result.objects, copied: result.copied };
  },
);
