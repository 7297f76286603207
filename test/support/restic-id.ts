import { createHash } from 'node:crypto';

/** The id of a restic snapshot or pack with a readable name: always the same one. */
export const resticId = (name: string): string => createHash('sha256').update(name).digest('hex');
