import { createJson, findJson, getJson, putJson } from '../../adapters/s3/documents.ts';
import { COPIES, type PerCopy } from '../../contract/copies.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { PruneInput, PruneRef } from '../../contract/states.ts';
import { type CopyPlan, PrunePlan, removedFrom, repositoriesOf } from '../../core/retention/prune.ts';
import { type Holder, holderText } from '../../core/vault/lease.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { leaseHolder, releaseLease, takeLease } from '../../runtime/leases.ts';
import { type Decided, decide, type PrunePolicy } from './decide.ts';
import type { PruneVault } from './points.ts';
import { finishRun, type OpenRun, openRuns } from './runs.ts';

/** One run of the prune machine. */
export interface PruneRun {
  readonly input: PruneInput;
  /** Name of the run. Repeated calls of an execution have the same name and resume its work. */
  readonly prune: string;
  /** ARN of the execution, which holds the lease. */
  readonly execution: string;
  readonly now: Date;
  /** Whether the holder of a lease has ended without releasing it. */
  isGone(holder: Holder): Promise<boolean>;
}

/**
 * Applies a plan's retention: writes the prune plan, then removes records and then objects from both copies. A call
 * that was killed resumes when it is repeated; otherwise a later run finishes its work.
 *
 * @throws HoldfastError PruneRefused when a copy would lose more than the allowed share of its recovery points.
 */
export async function pruneBackups(
  context: PruneVault,
  run: PruneRun,
  policy: PrunePolicy,
): Promise<PruneRef> {
  const { copies, keys } = context;
  const { input, prune, execution } = run;
  const vault = copies.primary;
  const decideNow = () => planRun(context, run, policy);
  if (input.dryRun) return refOf(await decideNow(), 'planned', 0);
  const idle = await idleOutcome(vault, keys, run);
  if (idle) return idle;
  const plan = (await findJson(vault, PrunePlan, keys.records.prune.plan(prune))) ?? (await decideNow());
  await removeObjects(copies, keys, plan);
  for (const earlier of plan.finishes) await finishRun(vault, keys, earlier, prune);
  const forget = repositoriesOf(plan).length;
  if (forget === 0) {
    if (isWork(plan)) await finishRun(vault, keys, prune);
    await releaseLease(vault, keys.leases.prune, prune, execution);
  }
  return refOf(plan, 'pruned', forget);
}

/**
 * Acquires the lease; returns the outcome of an idle run if another run is in the way. A prune of the replica removes
 * packs that nothing refers to yet. So it waits for replications in progress, and its lease keeps new ones from starting.
 */
async function idleOutcome(vault: Vault, keys: VaultKeys, run: PruneRun): Promise<PruneRef | undefined> {
  const { prune, execution, now, isGone } = run;
  const leases = { vault, now, isGone };
  const other = await takeLease(leases, keys.leases.prune, { work: prune, execution });
  if (other) return idleRef(run, 'skipped', `${holderText(other)} is pruning in this cluster`);
  // A restore acquires its lease before it reads this one, so at least one of the two sees the other.
  const restore = await leaseHolder(leases, keys.leases.restore);
  if (restore) {
    await releaseLease(vault, keys.leases.prune, prune, execution);
    return idleRef(run, 'skipped', `${holderText(restore)} reads recovery points`);
  }
  for await (const { key } of vault.list(keys.leases.replicateRoot)) {
    const copier = await leaseHolder(leases, key);
    if (copier) return idleRef(run, 'waiting', `${holderText(copier)} is replicating to the DR region`);
  }
  return undefined;
}

/** Decides, and writes the plan if there is something to remove. */
async function planRun(context: PruneVault, run: PruneRun, policy: PrunePolicy): Promise<PrunePlan> {
  const { copies, keys } = context;
  const { input, prune, now } = run;
  const vault = copies.primary;
  const earlier = await openRuns(copies, keys);
  const { plan, keeps, refused } = await decide(
    { ...context, now },
    { plan: input.plan, prune },
    policy,
    earlier,
  );
  for (const text of warningsOf(plan)) context.warn(text);
  if (input.dryRun || refused.length > 0)
    await putJson(vault, keys.records.prune.report(prune), { ...plan, refused });
  if (input.dryRun) return plan;
  if (refused.length > 0) {
    await finishBegun(copies, keys, earlier);
    throw tooMuch(run, policy.share, refused, keys.records.prune.report(prune));
  }
  if (!isWork(plan)) return plan;
  for (const [namespace, kept] of keeps)
    await putJson(vault, keys.records.prune.keeps(prune, namespace), kept);
  await createJson(vault, keys.records.prune.plan(prune), plan);
  return getJson(vault, PrunePlan, keys.records.prune.plan(prune));
}

/** What somebody should look at: what could not be read, and plans that holdfast.yaml does not name. */
const warningsOf = (plan: PrunePlan): string[] => [
  ...COPIES.flatMap((copy) => plan[copy].unread.map((said) => `${copy}: ${said}`)),
  ...plan.unknownPlans,
];

const isWork = (plan: PrunePlan): boolean =>
  COPIES.some((copy) => removedFrom(plan[copy]).length > 0) ||
  repositoriesOf(plan).length > 0 ||
  plan.finishes.length > 0;

function tooMuch(
  { input, prune }: PruneRun,
  share: number,
  refused: Decided['refused'],
  report: string,
): HoldfastError {
  const what = refused.map(({ copy, removes, of }) => `${removes} of ${of} recovery points of the ${copy}`);
  return new HoldfastError(
    'PruneRefused',
    `${prune} would remove ${what.join(' and ')}, more than ${share} %: nothing was removed`,
    {
      hint: `Read ${report}. If this is intended, run holdfast prune ${input.plan} --allow-share 100, or start the machine with {"plan": "${input.plan}", "allowShare": 100}`,
    },
  );
}

/** Removes objects from both copies. The record goes first: without it the recovery point does not exist. */
async function removeObjects(copies: PerCopy<Vault>, keys: VaultKeys, plan: PrunePlan): Promise<void> {
  for (const copy of COPIES)
    for (const backup of removedFrom(plan[copy])) await removeBackup(copies[copy], keys, backup);
}

async function finishBegun(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  earlier: readonly OpenRun[],
): Promise<void> {
  for (const copy of COPIES)
    for (const backup of earlier.flatMap((run) => run[copy].backups))
      await removeBackup(copies[copy], keys, backup);
}

async function removeBackup(vault: Vault, keys: VaultKeys, backup: string): Promise<void> {
  await vault.remove([keys.records.record(backup)]);
  for (const dir of [keys.velero.dir(backup), keys.records.dir(backup)]) {
    const left: string[] = [];
    for await (const o of vault.list(dir)) left.push(o.key);
    if (left.length > 0) await vault.remove(left);
  }
}

const counts = ({ decisions }: CopyPlan) => {
  const removed = decisions.filter((d) => !d.keep).length;
  return { removed, kept: decisions.length - removed };
};

function refOf(plan: PrunePlan, outcome: PruneRef['outcome'], forget: number): PruneRef {
  const [primary, replica] = [counts(plan.primary), counts(plan.replica)];
  return {
    plan: plan.plan,
    prune: plan.prune,
    outcome,
    removed: primary.removed,
    kept: primary.kept,
    removedFromReplica: replica.removed,
    keptInReplica: replica.kept,
    orphans: new Set(
      COPIES.flatMap((copy) => plan[copy].orphans.filter((o) => o.remove).map((o) => o.backup)),
    ).size,
    forget,
  };
}

const idleRef = ({ input, prune }: PruneRun, outcome: PruneRef['outcome'], reason: string): PruneRef => ({
  plan: input.plan,
  prune,
  outcome,
  reason,
  removed: 0,
  kept: 0,
  removedFromReplica: 0,
  keptInReplica: 0,
  orphans: 0,
  forget: 0,
});
