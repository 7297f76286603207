import { isBeingDeleted, type Work } from '../../core/backup/record.ts';
import { groupResource } from '../../core/kubernetes/resources.ts';
import type { ExportPlan } from './plan.ts';
import type { LeftOutObjects, Tally } from './tally.ts';

/**
 * What an export lacks beside the types that could not be read, in sentences. `notes`: what the archive does not have and no
 * restore could have brought back.
 */
export function problemsOf(
  work: Work,
  plan: Pick<ExportPlan, 'shards' | 'problems' | 'readOnly'>,
  tally: Tally,
): { problems: string[]; notes: string[] } {
  const leftOut = tally.leftOut();
  const restorable = ({ type }: LeftOutObjects) => !plan.readOnly.includes(type);
  return {
    problems: [
      ...plan.problems,
      ...leftOut.filter(restorable).map(sentence),
      ...[...tally.terminating].sort().map(isBeingDeleted),
      ...vanished(work, plan, tally),
      ...broughtNothing(work, tally),
    ],
    notes: leftOut.filter((left) => !restorable(left)).map(sentence),
  };
}

const sentence = ({ type, flaw, items, first }: LeftOutObjects): string =>
  `${type}: ${items} object${items === 1 ? ' was' : 's were'} left out: ${flaw} (${first})`;

/** Namespaces that were there when the backup was opened and are gone. */
function vanished(work: Work, { shards }: Pick<ExportPlan, 'shards'>, tally: Tally): string[] {
  const listed = shards.flat().some(({ type }) => groupResource(type) === 'namespaces');
  const unread = [...tally.unreadable].some((type) => type.startsWith('namespaces '));
  if (!listed || unread) return [];
  return work.namespaces
    .filter((name) => !tally.namespaces.has(name))
    .map((name) => `namespace ${name} was deleted during the backup`);
}

function broughtNothing({ selection }: Work, { items, selected, unreadable }: Tally): string[] {
  const selectors = selection.labelSelector ? [selection.labelSelector] : selection.orLabelSelectors;
  if (items === 0) return ['the backup holds no object'];
  if (selectors.length === 0 || selected > 0 || unreadable.size > 0) return [];
  return [`no object matches ${selectors.join(' or ')}`];
}
