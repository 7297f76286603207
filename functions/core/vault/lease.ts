import * as z from 'zod/mini';
import { EXECUTION_TIMEOUT_SECONDS } from '../../contract/execution-timeout.ts';

/** Who holds a lease: a piece of work, and the execution that does it (its ARN). */
export const Holder = z.object({ work: z.string(), execution: z.string() });
export type Holder = z.infer<typeof Holder>;

/** As releases up to 0.1 wrote it: `<work>/<execution>`. The name of a piece of work has no slash. */
const HolderText = z.pipe(
  z.string(),
  z.transform((text): Holder => {
    const [work = '', ...execution] = text.split('/');
    return { work, execution: execution.join('/') };
  }),
);

/** A lease in the vault: who holds a plan or a cluster, until when. */
export const Lease = z.object({ holder: z.union([Holder, HolderText]), expiresAt: z.string() });
export type Lease = z.infer<typeof Lease>;

/** Reads a stored lease; undefined when it is none. */
export function parseLease(text: string): Lease | undefined {
  try {
    return z.parse(Lease, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A lease lasts as long as an execution may: one that is held longer has a holder that has ended. */
export function leaseFor(holder: Holder, now: Date): Lease {
  const expiresAt = new Date(now.getTime() + EXECUTION_TIMEOUT_SECONDS * 1000).toISOString();
  return { holder: { work: holder.work, execution: holder.execution }, expiresAt };
}

/** Whether its time is over. One whose time cannot be read has expired: it would never do so by itself. */
export const hasExpired = (lease: Lease, now: Date): boolean =>
  !(Date.parse(lease.expiresAt) > now.getTime());

/** Whether `holder` may take a lease that now looks like this without asking anybody: it has expired, or is its own. */
export const mayTake = (current: Lease, holder: Holder, now: Date): boolean =>
  hasExpired(current, now) ||
  (current.holder.work === holder.work && current.holder.execution === holder.execution);

/** Whether a lease is that of a piece of work; with an execution, of that one alone. */
export const isHeldBy = ({ holder }: Lease, work: string, execution?: string): boolean =>
  holder.work === work && (execution === undefined || holder.execution === execution);

/** A holder in words: `daily-20260101000000 (<ARN of the execution>)`. */
export const holderText = ({ work, execution }: Holder): string =>
  execution ? `${work} (${execution})` : work;
