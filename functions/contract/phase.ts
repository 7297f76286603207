import * as z from 'zod/mini';

/** Result of a backup, with Velero's names. Completed means that nothing is missing. */
export const Phase = z.enum(['Completed', 'PartiallyFailed', 'Failed']);

export type Phase = z.infer<typeof Phase>;
