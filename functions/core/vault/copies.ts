import * as z from 'zod/mini';

/** The two copies of the vault, by the names that states, steps and reports give them. */
export const Copy = z.enum(['primary', 'replica']);
export type Copy = z.infer<typeof Copy>;
export const COPIES = Copy.options;
