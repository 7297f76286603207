import { putJson } from '../../adapters/s3/documents.ts';
import type { ObjectLockSettings } from '../../contract/settings.ts';
import type { LockRequest } from '../../contract/states.ts';
import type { RecoveryPointLock } from '../../core/backup/record.ts';
import { type KeptBy, lockedAtLeastUntil, lockScope } from '../../core/retention/object-lock.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { LockedBucket } from '../../ports/locked-bucket.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { extendLocks } from './extend.ts';
import { findPoints } from './points.ts';

/** What the locks of one copy are decided and extended with. */
export interface LockContext {
  readonly keys: VaultKeys;
  readonly lock: ObjectLockSettings;
  readonly retentionOf: (plan: string) => KeptBy | undefined;
  readonly verifier: Verifier;
  readonly now: Date;
  readonly timeLeft: () => boolean;
}

/** One call of a pass over one copy. When the pass is complete, writes to each kept recovery point when its lock ends. */
export async function lockCopy(
  request: LockRequest,
  vault: Vault,
  bucket: LockedBucket,
  { keys, lock, retentionOf, verifier, now, timeLeft }: LockContext,
): Promise<LockRequest> {
  const began = new Date(request.startedAt);
  const found = await findPoints(vault, keys, request.copy, verifier);
  const repositories = await vault.folders(keys.restic.root);
  const scope = lockScope(found, { keys, retentionOf, began, repositories });
  const done = await extendLocks({ bucket, lock, now, timeLeft }, scope.prefixes, request.after);
  const { after: _, ...counts } = request;
  const result: LockRequest = {
    ...counts,
    checked: request.checked + done.checked,
    extended: request.extended + done.extended,
    governed: request.governed + done.governed,
    ...(done.after && { after: done.after }),
  };
  if (!done.after) {
    const until = lockedAtLeastUntil(lock, began).toISOString();
    const mode = result.governed > 0 ? 'GOVERNANCE' : lock.mode;
    for (const backup of scope.kept) {
      const said: RecoveryPointLock = { mode, until, began: began.toISOString() };
      await putJson(vault, keys.records.lock(backup), said);
    }
  }
  return result;
}
