import type { CopyName, PerCopy, VaultCopy } from '../../contract/copies.ts';
import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { ClusterSettings } from '../../contract/settings.ts';
import type { ResticJob, ResticStep } from '../../core/jobs/job-spec.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { repositoryIn } from '../../core/restic/repository.ts';
import { forgetArgs, lastWords, listArgs, pruneArgs, unlockArgs } from '../../core/restic/restic.ts';
import {
  type PruneOutcome,
  type PrunePlan,
  parseSnapshots,
  repositoriesOf,
  snapshotsOf,
  type TaggedSnapshot,
} from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';

/** One Job of a prune run: a repository in both copies. */
export interface PruneItem {
  readonly id: string;
  readonly repository: string;
  readonly namespace: string;
  readonly forget: PerCopy<readonly string[]>;
  /** Whether the Job lists all snapshots first, to find orphaned ones. */
  readonly lists: boolean;
}

/** The Jobs of a run: one per repository, and a second one if the first found orphaned snapshots. */
export function itemsOf(plan: PrunePlan, outcomes: readonly PruneOutcome[], keys: VaultKeys): PruneItem[] {
  const item = (namespace: string, over: Omit<PruneItem, 'repository' | 'namespace'>): PruneItem => ({
    ...over,
    repository: keys.restic.repository(namespace),
    namespace,
  });
  return [
    ...repositoriesOf(plan).map((namespace) =>
      item(namespace, {
        id: namespace,
        forget: {
          primary: snapshotsOf(plan.primary.forget, namespace),
          replica: snapshotsOf(plan.replica.forget, namespace),
        },
        lists: true,
      }),
    ),
    ...outcomes.flatMap(({ namespace, orphans }) =>
      orphans && orphans.primary.length + orphans.replica.length > 0
        ? [item(namespace, { id: `${namespace}.orphans`, forget: orphans, lists: false })]
        : [],
    ),
  ];
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
  const at = repositoryIn(copy, item.repository);
  const step = (name: string, args: string[]): ResticStep => ({ ...at, name: `${name}-${copy.name}`, args });
  return [
    ...(item.lists ? [step(LIST, listArgs())] : []),
    ...(snapshots.length > 0
      ? [
          step('unlock', unlockArgs(replicated)),
          step('forget', forgetArgs(snapshots)),
          step('prune', pruneArgs()),
        ]
      : []),
  ];
}

const LIST = 'list';

/** The snapshots that a Job listed in a copy before it forgot any; undefined if it has no list, or an incomplete one. */
export function seenIn(copy: CopyName, end: JobEnd): TaggedSnapshot[] | undefined {
  const name = `${LIST}-${copy}`;
  const log = end.reports[name] ?? (end.step === name ? end.log : undefined);
  return log === undefined ? undefined : parseSnapshots(log);
}

/** The outcome of a repository, from the end of its Job. */
export function outcomeOf(
  { namespace }: PruneItem,
  end: JobEnd,
  orphans: PerCopy<string[]> | undefined,
): PruneOutcome {
  const ok = end.exitCode === 0;
  const message = ok ? 'forgotten' : (end.message ?? lastWords(end.log));
  return { namespace, ok, message, ...(ok && orphans && { orphans }) };
}
