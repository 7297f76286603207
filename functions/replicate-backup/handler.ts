import { createJson, findJson, releaseLease } from '../adapters/s3/documents.ts';
import { ReplicateRequest, type ReplicateState } from '../contract/states.ts';
import { HoldfastError } from '../core/errors.ts';
import { ReplicaProof } from '../core/record.ts';
import { keys, primaryVault, recordKey, replicaVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { holderIsGone, holderName } from '../runtime/leases.ts';
import { findSignedRecord } from '../runtime/signed-records.ts';
import { replicate } from './replicate.ts';
import { takeTurn } from './turn.ts';

/** Time kept back to answer before Lambda ends the function. */
const RESERVE_MS = 30_000;
/** Between two looks at whether a prune has ended. */
const WAIT_SECONDS = 30;

/** Copies what the replica lacks, as far as time allows; when nothing is missing any more, writes the proof. */
export const handler = lambda(
  'replicate-backup',
  ReplicateRequest,
  async ({ plan, backup, execution }, { now, remainingMs }): Promise<ReplicateState> => {
    const [primary, replica, k] = [primaryVault(), replicaVault(), keys()];
    const proven = await findJson(primary, ReplicaProof, k.records.replica(backup));
    const lease = k.leases.replicate(plan);
    if (proven) {
      await releaseLease(primary, lease, backup);
      return { plan, backup, remaining: 0, objects: proven.objects, copied: proven.copied, waitSeconds: 0 };
    }
    const found = await findSignedRecord(primary, k.records.record(backup), recordKey());
    if (!found)
      throw new HoldfastError('RecoveryPointNotFound', `${backup} is not in bucket ${primary.bucket}`);
    const { record } = found;
    const holder = holderName(backup, execution);
    if (!(await takeTurn(primary, k, { plan, holder, now, isGone: holderIsGone })))
      return { plan, backup, remaining: 1, objects: 0, copied: 0, waitSeconds: WAIT_SECONDS };
    const result = await replicate(primary, replica, k, record, () => remainingMs() > RESERVE_MS);
    if (result.remaining === 0) {
      const { objects, bytes, copied } = result;
      const proof: ReplicaProof = {
        backup,
        region: replica.region,
        bucket: replica.bucket,
        provenAt: now.toISOString(),
        objects,
        bytes,
        copied,
      };
      await createJson(replica, k.records.replica(backup), proof);
      await createJson(primary, k.records.replica(backup), proof);
      await releaseLease(primary, lease, holder);
    }
    const { remaining, objects, copied } = result;
    return { plan, backup, remaining, objects, copied, waitSeconds: 0 };
  },
);
