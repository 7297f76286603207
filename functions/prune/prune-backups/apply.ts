import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import type { PlanRetention } from '../../core/retention/policies.ts';
import { exceedsShare, leftForLater, MAX_FORGET } from '../../core/retention/prune.ts';
import {
  decideRetention,
  type RecoveryPoint,
  type RetentionDecision,
} from '../../core/retention/retention.ts';
import { type FoundBackup, namesItsSnapshots, pointIn } from './points.ts';
import type { OpenRun } from './runs.ts';

/** The recovery points of a plan in one copy, and what is decided about them. */
export interface Kept {
  readonly points: readonly RecoveryPoint[];
  readonly decisions: readonly RetentionDecision[];
}

/**
 * Applies each copy's own policy. The replica also keeps everything that stays in the primary: the replicate machine
 * would copy its snapshots again.
 */
export function applyRetention(
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

/** A copy that would lose more than the allowed share of a plan's recovery points. */
export interface Excess {
  readonly copy: CopyName;
  readonly removes: number;
  readonly of: number;
}

/** The copies that would lose more than a share of a plan's recovery points. */
export const excessOf = (kept: PerCopy<Kept>, share: number): Excess[] =>
  COPIES.flatMap((copy) => {
    const excess = exceedsShare(kept[copy].points, kept[copy].decisions, share);
    return excess ? [{ copy, ...excess }] : [];
  });

/** A retired plan of which too much would go: all stays until somebody prunes this plan and approves it. */
export function spared(kept: PerCopy<Kept>, plan: string): PerCopy<Kept> {
  const reasons = [`so much of a plan goes only by holdfast prune ${plan} --allow-share 100`];
  const all = ({ points, decisions }: Kept): Kept => ({
    points,
    decisions: decisions.map((d) => (d.keep ? d : { ...d, keep: true, reasons })),
  });
  return { primary: all(kept.primary), replica: all(kept.replica) };
}

/**
 * Decisions of a run that does not remove more at once than one Job can. What the primary keeps until the next run, the
 * replica keeps, too.
 */
export function bounded(
  decisions: PerCopy<readonly RetentionDecision[]>,
  found: readonly FoundBackup[],
  earlier: readonly OpenRun[],
): PerCopy<readonly RetentionDecision[]> {
  const byName = new Map(found.map((f) => [f.backup, f]));
  const laterIn = (copy: CopyName) => {
    const going = decisions[copy].filter((d) => !d.keep);
    const backups = going.map(({ backup }) => {
      const record = byName.get(backup)?.[copy];
      return { backup, snapshots: namesItsSnapshots(record) ? record.snapshots : [] };
    });
    return leftForLater(
      backups,
      earlier.flatMap((run) => run[copy].forget),
    );
  };
  const later = laterIn('primary');
  const reasons = [`goes with the next run: one removes at most ${MAX_FORGET} snapshots of a repository`];
  const keeping = (names: ReadonlySet<string>) => (d: RetentionDecision) =>
    !d.keep && names.has(d.backup) ? { ...d, keep: true, reasons } : d;
  return {
    primary: decisions.primary.map(keeping(later)),
    replica: decisions.replica.map(keeping(new Set([...later, ...laterIn('replica')]))),
  };
}
