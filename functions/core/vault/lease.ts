import * as z from 'zod/mini';
import { EXECUTION_TIMEOUT_SECONDS } from '../../contract/execution-timeout.ts';

/** Holder of a lease: a piece of work, and the ARN of its execution. */
export const Holder = z.object({ work: z.string(), execution: z.string() });
export type Holder = z.infer<typeof Holder>;

/** Format of releases up to 0.1: `<work>/<execution>`. The name of a piece of work has no slash. */
const HolderText = z.pipe(
  z.string(),
  z.transform((text): Holder => {
    const [work = '', ...execution] = text.split('/');
    return { work, execution: execution.join('/') };
  }),
);

/** A lease on a plan or a cluster in the vault. */
export const Lease = z.object({ holder: z.union([Holder, HolderText]), expiresAt: z.string() });
export type Lease = z.infer<typeof Lease>;

/** Parses a stored lease; undefined if it is invalid. */
export function parseLease(text: string): Lease | undefined {
  try {
    return z.parse(Lease, JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A lease lasts as long as the execution timeout, so that the holder of an expired lease has ended. */
export function leaseFor(holder: Holder, now: Date): Lease {
  const expiresAt = new Date(now.getTime() + EXECUTION_TIMEOUT_SECONDS * 1000).toISOString();
  return { holder: { work: holder.work, execution: holder.execution }, expiresAt };
}

/** Whether a lease has expired. One with an unreadable time has expired, because it would otherwise never expire. */
export const hasExpired = (lease: Lease, now: Date): boolean =>
  !(Date.parse(lease.expiresAt) > now.getTime());

/** Whether `holder` may acquire a lease without checking its holder: it has expired, or `holder` already holds it. */
export const mayTake = (current: Lease, holder: Holder, now: Date): boolean =>
  hasExpired(current, now) ||
  (current.holder.work === holder.work && current.holder.execution === holder.execution);

/** Whether a piece of work, and optionally a given execution of it, holds a lease. */
export const isHeldBy = ({ holder }: Lease, work: string, execution?: string): boolean =>
  holder.work === work && (execution === undefined || holder.execution === execution);

/** A holder as text: `daily-20260101000000 (<ARN of the execution>)`. */
export const holderText = ({ work, execution }: Holder): string =>
  execution ? `${work} (${execution})` : work;
