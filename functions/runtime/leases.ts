import { encode } from '../adapters/s3/documents.ts';
import { hasEnded } from '../adapters/states/executions.ts';
import { HoldfastError } from '../contract/holdfast-error.ts';
import {
  type Holder,
  hasExpired,
  isHeldBy,
  type Lease,
  leaseFor,
  mayTake,
  parseLease,
} from '../core/vault/lease.ts';
import type { Vault } from '../ports/vault.ts';

/*
 * Leases are objects of the vault, written with conditional requests: of any number of concurrent requests, one succeeds.
 * Leases are not renewed: a lease ends when it is released, when the execution that holds it has ended, or when it expires.
 */

/** What leases are read and written with. */
export interface LeaseContext {
  readonly vault: Vault;
  readonly now: Date;
  /** Whether a holder has ended without releasing its lease. */
  isGone(holder: Holder): Promise<boolean>;
}

/**
 * Whether the execution that holds a lease has ended without releasing it, because it was stopped or timed out. Step
 * Functions knows, so nobody has to wait for the lease to expire. A holder without an execution ARN counts as running.
 */
export const holderIsGone = async ({ execution }: Holder): Promise<boolean> =>
  execution.startsWith('arn:') && (await hasEnded(execution));

/** A context in which Step Functions tells whether a holder has ended. */
export const leasesOf = (vault: Vault, now: Date): LeaseContext => ({ vault, now, isGone: holderIsGone });

/**
 * Acquires a lease, also one that this holder has already. Returns the other holder if the lease is not free.
 *
 * @throws HoldfastError LeaseUnreadable when what is there is no lease.
 */
export async function takeLease(
  { vault, now, isGone }: LeaseContext,
  key: string,
  holder: Holder,
): Promise<Holder | undefined> {
  const found = await findLease(vault, key);
  if (found && !mayTake(found.lease, holder, now) && !(await isGone(found.lease.holder)))
    return found.lease.holder;
  if (await vault.putIf(key, encode(leaseFor(holder, now)), found?.etag)) return undefined;
  return (await findLease(vault, key))?.lease.holder ?? { work: 'another', execution: '' };
}

/**
 * The running holder of a lease that has not expired; undefined if there is none.
 *
 * @throws HoldfastError LeaseUnreadable when what is there is no lease.
 */
export async function leaseHolder(
  { vault, now, isGone }: LeaseContext,
  key: string,
): Promise<Holder | undefined> {
  const lease = (await findLease(vault, key))?.lease;
  if (!lease || hasExpired(lease, now)) return undefined;
  return (await isGone(lease.holder)) ? undefined : lease.holder;
}

/** Releases a lease if `work`, and `execution` if given, hold it. An unreadable lease is left alone. */
export async function releaseLease(
  vault: Vault,
  key: string,
  work: string,
  execution?: string,
): Promise<void> {
  const found = await vault.find(key);
  const lease = found && parseLease(found.body.toString('utf8'));
  if (lease && isHeldBy(lease, work, execution)) await vault.remove([key]);
}

async function findLease(vault: Vault, key: string): Promise<{ lease: Lease; etag: string } | undefined> {
  const found = await vault.find(key);
  if (!found) return undefined;
  const lease = parseLease(found.body.toString('utf8'));
  if (lease) return { lease, etag: found.etag };
  throw new HoldfastError(
    'LeaseUnreadable',
    `${key} in bucket ${vault.bucket} is not a lease that this version can read`,
    {
      hint: 'A later version may have written it. If nothing is running in the cluster, remove the object',
    },
  );
}
