import { findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import type { Retention } from '../../contract/settings.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { CONTROL_PLANE } from '../../core/backup/control-plane.ts';
import { Work } from '../../core/backup/record.ts';
import {
  type CopyPlan,
  exceedsShare,
  type PrunePlan,
  snapshotsToForget,
} from '../../core/retention/prune.ts';
import {
  decideRetention,
  type RecoveryPoint,
  type RetentionDecision,
} from '../../core/retention/retention.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
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
import { withUnnamedSnapshots } from './snapshots.ts';

/** The retention policies and limits of a prune run. */
export interface PrunePolicy {
  readonly retention: Retention;
  readonly replicaRetention: Retention;
  readonly timeZone: string;
  /** Percent of the recovery points in a copy that one run may remove. */
  readonly share: number;
  readonly orphanGraceDays: number;
}

/** A plan, and the copies in which it would remove more than the allowed share. */
export interface Decided {
  readonly plan: PrunePlan;
  readonly refused: readonly { readonly copy: CopyName; readonly removes: number; readonly of: number }[];
}

/** Decides what a run removes from both copies, and which work of interrupted runs it finishes. */
export async function decide(
  context: PruneContext,
  { plan, prune }: { readonly plan: string; readonly prune: string },
  policy: PrunePolicy,
  earlier: readonly OpenRun[],
): Promise<Decided> {
  const { copies, keys, verifier, now } = context;
  const names = await backupsIn(copies, keys);
  const isOfPlan = (name: string) => parseBackupName(name)?.plan === plan;
  const found = await findBackups(copies, keys, names.filter(isOfPlan), verifier);
  const orphans = await orphansIn(context, names, found, policy.orphanGraceDays);
  const kept = decideBoth(found, orphans.young.filter(isOfPlan), policy, now);
  const copyPlan = (copy: CopyName) => planOf({ copy, found, earlier }, kept[copy], orphans[copy]);
  const both = { primary: copyPlan('primary'), replica: copyPlan('replica') };
  const unnamed = COPIES.flatMap((copy) => removedUnnamed(both[copy], copy, found));
  const search = [
    ...earlier.flatMap((run) => run.search),
    ...(await repositoriesOf(copies, keys, unnamed)),
    ...(await withUnnamedSnapshots(context, names, found, policy.orphanGraceDays)),
  ];
  return {
    plan: {
      version: 2,
      plan,
      prune,
      decidedAt: now.toISOString(),
      finishes: earlier.map((run) => run.prune),
      ...both,
      search: [...new Set(search)].sort(),
    },
    refused: COPIES.flatMap((copy) => {
      const excess = exceedsShare(kept[copy].points, kept[copy].decisions, policy.share);
      return excess ? [{ copy, ...excess }] : [];
    }),
  };
}

/** One copy, the backups of the plan, and the interrupted runs. */
interface CopyContext {
  readonly copy: CopyName;
  readonly found: readonly FoundBackup[];
  readonly earlier: readonly OpenRun[];
}

/** What a run removes from one copy. */
function planOf(
  { copy, found, earlier }: CopyContext,
  { decisions }: Kept,
  orphans: CopyPlan['orphans'],
): CopyPlan {
  const going = new Set(decisions.filter((d) => !d.keep).map((d) => d.backup));
  const records = found.flatMap((f) => (going.has(f.backup) ? (namesItsSnapshots(f[copy]) ?? []) : []));
  return {
    decisions: decisions.map((d) => ({ ...d, reasons: [...d.reasons] })),
    orphans,
    begun: [...new Set(earlier.flatMap((run) => run[copy].backups))],
    forget: [...snapshotsToForget(records), ...earlier.flatMap((run) => run[copy].forget)],
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
  { retention, replicaRetention, timeZone }: PrunePolicy,
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

/** Backups removed from a copy that have no trusted record to name their snapshots. */
function removedUnnamed(plan: CopyPlan, copy: CopyName, found: readonly FoundBackup[]): string[] {
  const named = new Set(found.filter((f) => namesItsSnapshots(f[copy])).map((f) => f.backup));
  return [
    ...plan.decisions.filter((d) => !d.keep && !named.has(d.backup)),
    ...plan.orphans.filter((o) => o.remove),
  ].map((d) => d.backup);
}

/** Namespaces in whose repositories such backups may have snapshots, from their work lists. */
async function repositoriesOf(
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  names: readonly string[],
): Promise<string[]> {
  const namespaces: string[] = [];
  for (const name of new Set(names)) {
    const key = keys.records.work(name);
    const work = (await findJson(primary, Work, key)) ?? (await findJson(replica, Work, key));
    namespaces.push(
      ...(work?.volumes ?? []).map((v) => v.namespace),
      ...(work?.controlPlane ? [CONTROL_PLANE] : []),
    );
  }
  return namespaces;
}
