import * as z from 'zod/mini';

/** A lease in the vault: who holds a plan or a cluster, until when. Taken and given back by conditional writes. */
export const Lease = z.object({ holder: z.string(), expiresAt: z.string() });
export type Lease = z.infer<typeof Lease>;

/**
 * Whether `holder` may take a lease that now looks like this: it is free, expired, or already its own. One whose time
 * cannot be read has expired: it would never do so by itself.
 */
export function mayTake(current: Lease | undefined, holder: string, now: Date): boolean {
  return (
    current === undefined || current.holder === holder || !(Date.parse(current.expiresAt) > now.getTime())
  );
}

export function leaseFor(holder: string, now: Date, seconds: number): Lease {
  return { holder, expiresAt: new Date(now.getTime() + seconds * 1000).toISOString() };
}
