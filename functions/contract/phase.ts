import * as z from 'zod/mini';

/** Velero's words for how a backup ended. Completed means that nothing is missing. */
export const Phase = z.enum(['Completed', 'PartiallyFailed', 'Failed']);

export type Phase = z.infer<typeof Phase>;
