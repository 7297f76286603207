import type { Holder } from '../../core/vault/lease.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { stoppedPrunesMayRun } from '../../runtime/jobs/prune-jobs.ts';
import { type LeaseContext, leaseHolder, releaseLease, takeLease } from '../../runtime/leases.ts';

/** A plan to replicate, and the execution that does it. */
export interface Copier {
  readonly plan: string;
  readonly holder: Holder;
  /** After this time the Jobs of a prune that was stopped have ended. */
  readonly deadlineSeconds: number;
}

/**
 * Acquires the lease to replicate a plan if no other replication of it and no prune is running; whether it did. A prune of
 * the replica removes packs that nothing there refers to yet, so the two must not run at once. Each acquires its own lease
 * before it reads the other's, so at least one of them sees the other. Then this one yields.
 */
export async function tookTurn(
  leases: LeaseContext,
  keys: VaultKeys,
  { plan, holder, deadlineSeconds }: Copier,
): Promise<boolean> {
  const lease = keys.leases.replicate(plan);
  if (await takeLease(leases, lease, holder)) return false;
  const prune = await leaseHolder(leases, keys.leases.prune);
  if (!prune && !(await stoppedPrunesMayRun(leases, keys, deadlineSeconds))) return true;
  await releaseLease(leases.vault, lease, holder.work, holder.execution);
  return false;
}
