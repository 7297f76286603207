import { createHash } from 'node:crypto';
import { EXCLUDE_LABEL } from './resources.ts';

/** Labels and annotations with which Holdfast finds its own Jobs. */
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'holdfast' } as const;

export const RUN_LABEL = 'holdfast.io/run';

export const ATTEMPT_LABEL = 'holdfast.io/attempt';

export const ID_ANNOTATION = 'holdfast.io/id';

/** Number of credential sets a Job has had. Default: 1. */
export const SESSION_ANNOTATION = 'holdfast.io/session';

/** Common name prefix of all attempts of a piece of work. */
export function workName(run: string, id: string): string {
  return `holdfast-${createHash('sha256').update(`${run}\n${id}`).digest('hex').slice(0, 12)}`;
}

/** Labels of objects that a run creates in the cluster. Holdfast finds them by label, and backups exclude them. */
export const runLabels = (run: string): Record<string, string> => ({
  ...MANAGED_BY,
  [RUN_LABEL]: run,
  [EXCLUDE_LABEL]: 'true',
});
