import type { RestoreOptions } from '../../functions/contract/restore-options.ts';
import type { ArchivedName } from '../../functions/core/backup/archive.ts';
import { draftOf } from '../../functions/core/restore/drafts.ts';
import { planDrafts } from '../../functions/core/restore/plan-drafts.ts';
import { scopeOf } from '../../functions/core/restore/restore-options.ts';
import { compareItems, type PlanItem } from '../../functions/core/restore/restore-plan.ts';

/** An object of a recovery point where its archive has it. The object may be anything. */
export type Stored = readonly [ArchivedName, unknown];

interface Choice {
  readonly options?: RestoreOptions;
  readonly namespaces?: readonly string[];
  /** Whether the namespaces were asked for by name. */
  readonly isFiltered?: boolean;
}

/** The plan of a restore of these objects, in its order. */
export function planOfObjects(
  stored: readonly Stored[],
  { options = {}, namespaces = ['shop'], isFiltered = false }: Choice = {},
): PlanItem[] {
  const scope = scopeOf(options, namespaces, isFiltered);
  const drafts = stored.map(([at, object]) => draftOf({ at, bytes: 10 }, object, scope, options));
  return planDrafts(drafts, scope).sort(compareItems);
}
