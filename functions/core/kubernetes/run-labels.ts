import { createHash } from 'node:crypto';
import { EXCLUDE_LABEL } from './resources.ts';

/** Labels and annotations by which Holdfast finds its own Jobs again. */
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'holdfast' } as const;

export const RUN_LABEL = 'holdfast.io/run';

export const ATTEMPT_LABEL = 'holdfast.io/attempt';

export const ID_ANNOTATION = 'holdfast.io/id';

/** How many sets of credentials a Job has had; absent: the first. */
export const SESSION_ANNOTATION = 'holdfast.io/session';

/** Name of what all attempts of a piece of work share. */
export function workName(run: string, id: string): string {
  return `holdfast-${createHash('sha256').update(`${run}\n${id}`).digest('hex').slice(0, 12)}`;
}

/** Labels of what a run makes in the cluster: Holdfast finds it again by them, and no backup holds it. */
export const runLabels = (run: string): Record<string, string> => ({
  ...MANAGED_BY,
  [RUN_LABEL]: run,
  [EXCLUDE_LABEL]: 'true',
});
