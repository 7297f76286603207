import { COPIES, type CopyName } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { type PlanRetention, unknownPlans, unknownPlanText } from '../../core/retention/policies.ts';
import {
  type CopyPlan,
  exceedsShare,
  type PrunePlan,
  type RepositoryKeeps,
  repositoriesOf,
  toForget,
} from '../../core/retention/prune.ts';
import {
  decideRetention,
  type RecoveryPoint,
  type RetentionDecision,
} from '../../core/retention/retention.ts';
import { withSnapshots } from './forget.ts';
import { orphansIn } from './orphans.ts';
import {
  backupsIn,
  type FoundBackup,
  findBackups,
  namesItsSnapshots,
  type PruneContext,
  pointIn,
} from './points.ts';
import type { OpenRun } from './runs.ts';

/** The retention policies and limits of a prune run. */
export interface PrunePolicy extends PlanRetention {
  /** Percent of the recovery points in a copy that one run may remove. */
  readonly share: number;
  readonly orphanGraceDays: number;
  /** Names of all plans in holdfast.yaml, also retired ones. */
  readonly plans: readonly string[];
}

/** A plan, what stays in its repositories, and the copies in which it would remove more than the allowed share. */
export interface Decided {
  readonly plan: PrunePlan;
  readonly keeps: ReadonlyMap<string, RepositoryKeeps>;
  readonly refused: readonly { readonly copy: CopyName; readonly removes: number; readonly of: number }[];
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
  const isOfPlan = (name: string) => parseBackupName(name)?.plan === plan;
  const found = await findBackups(context, names, isOfPlan);
  const orphans = await orphansIn(context, found, policy.orphanGraceDays);
  const ofPlan = found.filter((f) => isOfPlan(f.backup));
  const kept = decideBoth(ofPlan, orphans.young.filter(isOfPlan), policy, now);
  const first = (copy: CopyName) => planOf({ copy, found, earlier }, kept[copy], orphans[copy]);
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
    refused: COPIES.flatMap((copy) => {
      const excess = exceedsShare(kept[copy].points, kept[copy].decisions, policy.share);
      return excess ? [{ copy, ...excess }] : [];
    }),
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
  { decisions }: Kept,
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

interface Kept {
  readonly points: readonly RecoveryPoint[];
  readonly decisions: readonly RetentionDecision[];
}

/**
 * Applies each copy's own policy. The replica also keeps everything that stays in the primary: the replicate machine
 * would copy its snapshots again.
 */
function decideBoth(
  found: readonly FoundBackup[],
  young: readonly string[],
  { retention, replicaRetention, timeZone }: PlanRetention,
  now: Date,
): Record<CopyName, Kept> {
  const inPrimary = [...found.flatMap((f) => pointIn('primary', f) ?? []), ...young.map(atWork)];
  const primary = decideRetention(inPrimary, retention, timeZone, now);
  const stays = new Set(primary.filter((d) => d.keep).map((d) => d.backup));
  const held = (backup: string) => (stays.has(backup) ? 'the primary keeps it' : undefined);
  const inReplica = found.flatMap((f) => pointIn('replica', f, held(f.backup)) ?? []);
  const replica = decideRetention(inReplica, replicaRetention, timeZone, now);
  return {
    primary: { points: inPrimary, decisions: primary },
    replica: { points: inReplica, decisions: replica },
  };
}

/** A backup without a record that is younger than the grace period: it may be in progress. */
const atWork = (backup: string): RecoveryPoint => ({
  backup,
  at: (parseBackupName(backup) as { at: Date }).at,
  phase: 'Unknown',
  replicated: false,
  signed: false,
  tags: [],
});
