import type { CopyName } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { type PlanRetention, unknownPlans, unknownPlanText } from '../../core/retention/policies.ts';
import {
  type CopyPlan,
  type PrunePlan,
  type RepositoryKeeps,
  repositoriesOf,
  toForget,
} from '../../core/retention/prune.ts';
import type { RetentionDecision } from '../../core/retention/retention.ts';
import { applyRetention, bounded, type Excess, excessOf, spared } from './apply.ts';
import { withSnapshots } from './forget.ts';
import { orphansIn } from './orphans.ts';
import { backupsIn, type FoundBackup, findBackups, namesItsSnapshots, type PruneContext } from './points.ts';
import type { OpenRun } from './runs.ts';

/** The retention policies and limits of a prune run. */
export interface PrunePolicy extends PlanRetention {
  /** Percent of the recovery points in a copy that one run may remove. */
  readonly share: number;
  readonly orphanGraceDays: number;
  /** Names of all plans in holdfast.yaml, also retired ones. */
  readonly plans: readonly string[];
  /** Retention of the retired plans, which each run also applies. */
  readonly retired: ReadonlyMap<string, PlanRetention>;
}

/** A plan, what stays in its repositories, and the copies in which it would remove more than the allowed share. */
export interface Decided {
  readonly plan: PrunePlan;
  readonly keeps: ReadonlyMap<string, RepositoryKeeps>;
  readonly refused: readonly Excess[];
}

/** Decides what a run removes from both copies, and which work of interrupted runs it finishes. */
export async function decide(
  context: PruneContext,
  { plan, prune }: { readonly plan: string; readonly prune: string },
  policy: PrunePolicy,
  earlier: readonly OpenRun[],
): Promise<Decided> {
  const { copies, keys, now } = context;
  const names = await backupsIn(copies, keys);
  const applied = new Map([...policy.retired, [plan, policy]]);
  const planIn = (name: string) => parseBackupName(name)?.plan ?? '';
  const found = await findBackups(context, names, (name) => applied.has(planIn(name)));
  const orphans = await orphansIn(context, found, policy.orphanGraceDays);
  const kept = [...applied].map(([name, by]) => {
    const of = found.filter((f) => planIn(f.backup) === name);
    const young = orphans.young.filter((backup) => planIn(backup) === name);
    const both = applyRetention(of, young, by, now);
    return { name, ...both, refused: excessOf(both, policy.share) };
  });
  const all = (copy: CopyName) =>
    kept.flatMap((k) => (k.name === plan || k.refused.length === 0 ? k : spared(k, k.name))[copy].decisions);
  const decisions = bounded({ primary: all('primary'), replica: all('replica') }, found, earlier);
  const first = (copy: CopyName) => planOf({ copy, found, earlier }, decisions[copy], orphans[copy]);
  const { plans, keeps } = await withSnapshots(
    context,
    found,
    { primary: first('primary'), replica: first('replica') },
    policy.orphanGraceDays,
  );
  const decided: PrunePlan = {
    version: 3,
    plan,
    prune,
    decidedAt: now.toISOString(),
    finishes: earlier.map((run) => run.prune),
    ...plans,
    unknownPlans: unknownPlans(policy.plans, names).map(unknownPlanText),
  };
  return {
    plan: decided,
    keeps: new Map(repositoriesOf(decided).map((namespace) => [namespace, keeps(namespace)])),
    refused: kept.find((k) => k.name === plan)?.refused ?? [],
  };
}

/** One copy, all backups, and the interrupted runs. */
interface CopyContext {
  readonly copy: CopyName;
  readonly found: readonly FoundBackup[];
  readonly earlier: readonly OpenRun[];
}

/** What a run removes from one copy, without orphaned snapshots. */
function planOf(
  { copy, found, earlier }: CopyContext,
  decisions: readonly RetentionDecision[],
  orphans: CopyPlan['orphans'],
): CopyPlan {
  const going = new Set(decisions.filter((d) => !d.keep).map((d) => d.backup));
  // An unsigned record could name the snapshots of another backup.
  const records = found.flatMap((f) => {
    const record = f[copy];
    return going.has(f.backup) && namesItsSnapshots(record) ? [{ ...record, backup: f.backup }] : [];
  });
  return {
    decisions: decisions.map((d) => ({ ...d, reasons: [...d.reasons] })),
    orphans,
    begun: [...new Set(earlier.flatMap((run) => run[copy].backups))],
    forget: [...toForget(records), ...earlier.flatMap((run) => run[copy].forget)],
    unread: [],
  };
}
