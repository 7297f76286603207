import { hasEnded } from '../adapters/states/executions.ts';

/** Who holds a lease: a piece of work, and the execution that does it. */
export const holderName = (work: string, executionArn: string): string => `${work}/${executionArn}`;

/**
 * Whether the execution that holds a lease has ended without giving it back: it was stopped, or timed out. Step Functions
 * knows for certain, so nobody has to wait for the lease to expire. A holder that names no execution is believed.
 */
export async function holderIsGone(holder: string): Promise<boolean> {
  const arn = holder.slice(holder.indexOf('/') + 1);
  return arn.startsWith('arn:') && (await hasEnded(arn));
}
