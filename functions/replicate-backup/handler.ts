import { createJson, findJson } from '../adapters/s3/documents.ts';
import { BackupName } from '../contract/states.ts';
import { HoldfastError } from '../core/errors.ts';
import { ReplicaProof } from '../core/record.ts';
import { keys, primaryVault, recordKey, replicaVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { settings } from '../runtime/settings.ts';
import { findSignedRecord } from '../runtime/signed-records.ts';
import { replicate } from './replicate.ts';

/** Time kept back to answer before Lambda ends the function. */
const RESERVE_MS = 30_000;

/** S3 usually needs less; what it has not brought by then is copied. From the end of the backup on. */
const AWAIT_S3_MS = 30 * 60_000;
const WAIT_SECONDS = 60;

/** Copies what the replica lacks, as far as time allows; when nothing is missing any more, writes the proof. */
export const handler = lambda(
  'replicate-backup',
  BackupName,
  async ({ plan, backup }, { now, remainingMs }) => {
    const [primary, replica, k] = [primaryVault(), replicaVault(), keys()];
    const proven = await findJson(primary, ReplicaProof, k.records.replica(backup));
    if (proven)
      return { plan, backup, remaining: 0, objects: proven.objects, copied: proven.copied, waitSeconds: 0 };
    const found = await findSignedRecord(primary, k.records.record(backup), recordKey());
    if (!found)
      throw new HoldfastError('RecoveryPointNotFound', `${backup} is not in bucket ${primary.bucket}`);
    const { record } = found;
    const awaitsS3 =
      settings().vault.continuous === true && now.getTime() < Date.parse(record.completedAt) + AWAIT_S3_MS;
    const timeLeft = () => remainingMs() > RESERVE_MS;
    const result = await replicate(primary, replica, k, record, timeLeft, awaitsS3);
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
    const { remaining, objects, copied, awaited } = result;
    return { plan, backup, remaining, objects, copied, waitSeconds: awaited > 0 ? WAIT_SECONDS : 0 };
  },
);
