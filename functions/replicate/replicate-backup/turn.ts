import type { Holder } from '../../core/vault/lease.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { type LeaseContext, leaseHolder, releaseLease, takeLease } from '../../runtime/leases.ts';

/** Who wants to copy a plan's recovery points. */
export interface Copier {
  readonly plan: string;
  readonly holder: Holder;
}

/**
 * Takes the turn to copy a plan if nobody else copies or prunes; whether it did. A prune of the replica takes packs away that
 * nothing there refers to yet, so the two never work at once: each takes its own lease before it looks at the other's, and so at
 * least one of them sees the other. Then it is this one that gives way.
 */
export async function tookTurn(
  leases: LeaseContext,
  keys: VaultKeys,
  { plan, holder }: Copier,
): Promise<boolean> {
  const lease = keys.leases.replicate(plan);
  if (await takeLease(leases, lease, holder)) return false;
  if (!(await leaseHolder(leases, keys.leases.prune))) return true;
  await releaseLease(leases.vault, lease, holder.work, holder.execution);
  return false;
}
