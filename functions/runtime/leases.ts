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
 * Leases are objects of the vault that are written on conditions, so that of any number who want one at once, one gets it. Nobody
 * renews them: a lease ends when it is given back, when the execution that holds it has ended, or when its time is over.
 */

/** Where leases are and when it is. */
export interface LeaseContext {
  readonly vault: Vault;
  readonly now: Date;
  /** Whether a holder has ended without giving its lease back. */
  isGone(holder: Holder): Promise<boolean>;
}

/**
 * Whether the execution that holds a lease has ended without giving it back: it was stopped, or timed out. Step Functions
 * knows for certain, so nobody has to wait for the lease to expire. A holder that names no execution is believed.
 */
export const holderIsGone = async ({ execution }: Holder): Promise<boolean> =>
  execution.startsWith('arn:') && (await hasEnded(execution));

/** The leases of a function that asks Step Functions. */
export const leasesOf = (vault: Vault, now: Date): LeaseContext => ({ vault, now, isGone: holderIsGone });

/**
 * Takes a lease, or takes its own one again; who has it instead when it is not free.
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
 * Who holds a lease that has not expired, and is at work; undefined when nobody does.
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

/** Gives a lease back if it is that of this work, and of this execution where one is given. What cannot be read is nobody's. */
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
      hint: 'A later version may have written it. When nothing is at work in the cluster, remove the object',
    },
  );
}
