import { EXCLUDE_LABEL } from './resources.ts';

/** Label of what belongs to Holdfast. Anybody can set it: nothing is decided by it. */
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'holdfast' } as const;

export const RUN_LABEL = 'holdfast.io/run';

export const ATTEMPT_LABEL = 'holdfast.io/attempt';

export const ID_ANNOTATION = 'holdfast.io/id';

/** Labels of everything that Holdfast makes in the cluster. Backups exclude it. */
export const OWN_LABELS = { ...MANAGED_BY, [EXCLUDE_LABEL]: 'true' } as const;

/** Labels of an object of a run, for people who look for it. Holdfast knows its objects by their uid. */
export const runLabels = (run: string): Record<string, string> => ({ ...OWN_LABELS, [RUN_LABEL]: run });
