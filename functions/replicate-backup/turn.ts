import { leaseHolder, releaseLease, takeLease } from '../adapters/s3/documents.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';

/** As long as an execution may take. */
const LEASE_SECONDS = 24 * 3600;

/** Who wants to copy a plan's recovery points, and when. */
export interface Copier {
  readonly plan: string;
  readonly holder: string;
  readonly now: Date;
  isGone(holder: string): Promise<boolean>;
}

/**
 * Whether a plan may be copied now. A prune of the replica takes packs away that nothing there refers to yet, so the two never
 * work at once: each takes its own lease before it looks at the other's, and so at least one of them sees the other. Then it is
 * this one that gives way.
 */
export async function takeTurn(vault: Vault, k: VaultKeys, copier: Copier): Promise<boolean> {
  const { plan, holder, now, isGone } = copier;
  const lease = k.leases.replicate(plan);
  if (await takeLease(vault, lease, holder, now, LEASE_SECONDS, isGone)) return false;
  if (!(await leaseHolder(vault, k.leases.prune, now, isGone))) return true;
  await releaseLease(vault, lease, holder);
  return false;
}
