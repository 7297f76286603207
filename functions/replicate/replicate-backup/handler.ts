import { findJson } from '../../adapters/s3/documents.ts';
import { ReplicateRequest, type ReplicateState } from '../../contract/states.ts';
import { ReplicaProof } from '../../core/backup/record.ts';
import { clusterKeys, openCopies, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { leasesOf, releaseLease } from '../../runtime/leases.ts';
import { settings } from '../../runtime/settings.ts';
import { recordToProve, writeProof } from './proof.ts';
import { replicate } from './replicate.ts';
import { hasSnapshots } from './snapshots.ts';
import { tookTurn } from './turn.ts';

/** Time reserved to return before Lambda ends the function. */
const RESERVE_MS = 30_000;
/** Wait before the next call, for a prune to end or for S3 to replicate more. */
const WAIT_SECONDS = 30;

/** Time for S3's own replication, from the end of the backup. Whatever it has not copied by then, Holdfast copies. */
const AWAIT_S3_MS = 30 * 60_000;

/** Copies objects that are missing in the replica, as far as time allows. When it is complete, writes the proof. */
export const handler = lambdaHandler(
  'replicate-backup',
  ReplicateRequest,
  async ({ plan, backup, execution }, { now, remainingMs }): Promise<ReplicateState> => {
    const { primary, replica } = openCopies();
    const keys = clusterKeys();
    const before = await findJson(primary, ReplicaProof, keys.records.replica(backup));
    const lease = keys.leases.replicate(plan);
    if (before) {
      await releaseLease(primary, lease, backup);
      return { plan, backup, remaining: 0, objects: before.objects, copied: before.copied, waitSeconds: 0 };
    }
    const record = await recordToProve(primary, keys, backup, recordKey());
    const holder = { work: backup, execution };
    const { deadlineSeconds } = settings().jobs;
    if (!(await tookTurn(leasesOf(primary, now), keys, { plan, holder, deadlineSeconds })))
      return { plan, backup, remaining: 1, objects: 0, copied: 0, waitSeconds: WAIT_SECONDS };
    const awaitsS3 =
      settings().vault.continuous === true && now.getTime() < Date.parse(record.completedAt) + AWAIT_S3_MS;
    const timeLeft = () => remainingMs() > RESERVE_MS;
    const result = await replicate({ primary, replica, keys, timeLeft, awaitsS3 }, record);
    const proven =
      result.remaining === 0 && (await hasSnapshots({ primary, replica, keys, timeLeft }, record));
    if (proven) {
      await writeProof({ primary, replica }, keys, backup, { ...result, now });
      await releaseLease(primary, lease, backup, execution);
    }
    const { objects, copied, awaited } = result;
    const remaining = proven ? 0 : Math.max(1, result.remaining);
    return { plan, backup, remaining, objects, copied, waitSeconds: awaited > 0 ? WAIT_SECONDS : 0 };
  },
);
