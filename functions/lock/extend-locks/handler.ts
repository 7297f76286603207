import { openLocks } from '../../adapters/s3/object-locks.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { LockRequest } from '../../contract/states.ts';
import { policiesIn, retentionOf } from '../../core/retention/policies.ts';
import type { LockedBucket } from '../../ports/locked-bucket.ts';
import type { Vault } from '../../ports/vault.ts';
import { clusterKeys, openCopy, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { settings } from '../../runtime/settings.ts';
import { lockCopy } from './lock-copy.ts';

/** Time reserved to return before Lambda ends the function. A page of a thousand versions takes some seconds. */
const RESERVE_MS = 60_000;

/** Extends the object retention of what is kept, as far as time allows: in the primary, then in the replica. */
export const handler = lambdaHandler('extend-locks', LockRequest, async (request, { now, remainingMs }) => {
  const { vault } = settings();
  if (!vault.objectLock)
    throw new HoldfastError(
      'InputInvalid',
      'vault.objectLock is not set in holdfast.yaml: nothing is locked',
      {
        hint: 'Set it and deploy, or do not run this machine',
      },
    );
  const [copy, locks] = open(request.copy);
  const result = await lockCopy(request, copy, locks, {
    keys: clusterKeys(),
    lock: vault.objectLock,
    retentionOf: (name) => {
      const of = retentionOf(settings(), name);
      return of && { policies: policiesIn(request.copy, of), timeZone: of.timeZone };
    },
    verifier: recordKey(),
    now,
    timeLeft: () => remainingMs() > RESERVE_MS,
  });
  if (result.after || request.copy === 'replica') return { ...result, remaining: result.after ? 1 : 0 };
  return { ...result, copy: 'replica', governed: 0, remaining: 1 };
});

function open(copy: LockRequest['copy']): [Vault, LockedBucket] {
  const vault = openCopy(copy);
  return [vault, openLocks(vault.bucket, vault.region)];
}
