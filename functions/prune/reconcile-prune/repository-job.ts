import type { CopyName, PerCopy, VaultCopy } from '../../contract/copies.ts';
import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { ClusterSettings } from '../../contract/settings.ts';
import type { ResticJob, ResticStep } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { lastWords } from '../../core/restic/log.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import { forgetArgs, pruneArgs, unlockArgs } from '../../core/restic/restic.ts';
import {
  type PruneOutcome,
  type PrunePlan,
  repositoriesOf,
  snapshotsOf,
} from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';

/** One Job of a prune run: a repository in both copies. */
export interface PruneItem {
  readonly id: string;
  readonly repository: string;
  readonly namespace: string;
  readonly forget: PerCopy<readonly string[]>;
}

/** The Jobs of a run: one per repository. */
export function itemsOf(plan: PrunePlan, keys: VaultKeys): PruneItem[] {
  return repositoriesOf(plan).map((namespace) => ({
    id: namespace,
    repository: keys.restic.repository(namespace),
    namespace,
    forget: {
      primary: snapshotsOf(plan.primary.forget, namespace),
      replica: snapshotsOf(plan.replica.forget, namespace),
    },
  }));
}

/** The Job of an item. `copies`: the copies that have the repository. */
export function pruneJob(
  settings: ClusterSettings,
  run: string,
  item: PruneItem,
  copies: readonly VaultCopy[],
): ResticJob {
  const { continuous = false } = settings.vault;
  const steps = copies.flatMap((copy) => stepsIn(copy, item, copy.name === 'replica' && continuous));
  return { run, id: item.id, namespace: SYSTEM_NAMESPACE, settings: settings.jobs, steps, capabilities: [] };
}

/** The steps in one copy. A prune locks the repository exclusively, so the lock of a killed Job is removed first. */
function stepsIn(copy: VaultCopy, item: PruneItem, replicated: boolean): ResticStep[] {
  const snapshots = item.forget[copy.name];
  if (snapshots.length === 0) return [];
  const at = repositoryIn(copy, item.repository);
  const step = (name: string, args: string[]): ResticStep => ({ ...at, name: `${name}-${copy.name}`, args });
  return [
    step('unlock', unlockArgs(replicated)),
    step('forget', forgetArgs(snapshots)),
    step('prune', pruneArgs()),
  ];
}

/** What the vault says about a copy of a repository after its Job. */
export interface AfterJob {
  readonly copy: CopyName;
  /** Snapshots that were to be forgotten and are there. */
  readonly left: readonly string[];
  /** Snapshots that were to stay and are not there. */
  readonly lost: readonly string[];
}

/**
 * The outcome of a repository. Its Job only says whether it ended well; whether the snapshots are gone, and no others, is what
 * the vault says.
 */
export function outcomeOf({ namespace }: PruneItem, end: JobEnd, after: readonly AfterJob[]): PruneOutcome {
  const problems = [
    ...(end.exitCode === 0 ? [] : [end.message ?? lastWords(end.log)]),
    ...after.flatMap(({ copy, left, lost }) => [
      ...(left.length > 0 ? [`${named(left)} to be forgotten, still in the ${copy}`] : []),
      ...(lost.length > 0 ? [`${named(lost)} to be kept, missing in the ${copy}`] : []),
    ]),
  ];
  const ok = problems.length === 0;
  return { namespace, ok, message: ok ? 'forgotten' : problems.join('; ') };
}

/** Ids that a message names. */
const NAMED = 3;

function named(ids: readonly string[]): string {
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : '';
  return `${ids.length === 1 ? 'snapshot' : 'snapshots'} ${ids.slice(0, NAMED).join(', ')}${more}`;
}
