import {
  createJson,
  findJson,
  getJson,
  leaseHolder,
  putJson,
  releaseLease,
  takeLease,
} from '../adapters/s3/documents.ts';
import type { PruneInput, PruneRef } from '../contract/states.ts';
import { COPIES } from '../core/copies.ts';
import { HoldfastError } from '../core/errors.ts';
import { type CopyPlan, PrunePlan, removedFrom, repositoriesOf } from '../core/prune.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';
import type { Copies } from '../runtime/copies.ts';
import type { Verifier } from '../runtime/signed-records.ts';
import { type Decided, decide, type PrunePolicy } from './decide.ts';
import { finishRun, type OpenRun, openRuns } from './runs.ts';

/** As long as an execution may take. One that ends without giving its lease back frees it by having ended. */
const LEASE_SECONDS = 24 * 3600;

/** One run of the prune machine. */
export interface PruneRun {
  readonly input: PruneInput;
  /** Names the run: the same execution's second call goes on with the first one's work. */
  readonly prune: string;
  /** Of the lease: the run and its execution. */
  readonly holder: string;
  readonly now: Date;
  isGone(holder: string): Promise<boolean>;
}

/**
 * Decides what a plan's retention removes, writes that down, and removes records and then objects from both copies.
 * Killed anywhere, it goes on when it is called again, and a later run finishes what it had begun.
 */
export async function pruneBackups(
  copies: Copies,
  k: VaultKeys,
  run: PruneRun,
  policy: PrunePolicy,
  verifier: Verifier,
): Promise<PruneRef> {
  const { input, prune, holder } = run;
  const vault = copies.primary;
  const decideNow = () => planRun(copies, k, run, policy, verifier);
  if (input.dryRun) return refOf(await decideNow(), 'planned', 0);
  const busy = await takeTurn(vault, k, run);
  if (busy) return busy;
  const plan = (await findJson(vault, PrunePlan, k.records.prune.plan(prune))) ?? (await decideNow());
  await removeObjects(copies, k, plan);
  for (const earlier of plan.finishes) await finishRun(vault, k, earlier, prune);
  const forget = repositoriesOf(plan).length;
  if (forget === 0) {
    if (isWork(plan)) await finishRun(vault, k, prune);
    await releaseLease(vault, k.leases.prune, holder);
  }
  return refOf(plan, 'pruned', forget);
}

/**
 * Takes the lease; what the run is instead, when that cannot be. A prune of the replica takes packs away to which nothing
 * refers yet: so it waits for those who copy and have begun, and its lease lets nobody begin.
 */
async function takeTurn(vault: Vault, k: VaultKeys, run: PruneRun): Promise<PruneRef | undefined> {
  const { holder, now, isGone } = run;
  const restore = await leaseHolder(vault, k.leases.restore, now, isGone);
  if (restore) return idle(run, 'skipped', `${restore} reads recovery points`);
  const other = await takeLease(vault, k.leases.prune, holder, now, LEASE_SECONDS, isGone);
  if (other) return idle(run, 'skipped', `${other} is pruning in this cluster`);
  for await (const { key } of vault.list(k.leases.replicateRoot)) {
    const copier = await leaseHolder(vault, key, now, isGone);
    if (copier) return idle(run, 'waiting', `${copier} is copying to the second region`);
  }
  return undefined;
}

/** Decides, and writes the decision down where there is something to remove. */
async function planRun(
  copies: Copies,
  k: VaultKeys,
  run: PruneRun,
  policy: PrunePolicy,
  verifier: Verifier,
): Promise<PrunePlan> {
  const { input, prune, now } = run;
  const vault = copies.primary;
  const earlier = await openRuns(copies, k);
  const sight = { copies, k, verifier, now };
  const { plan, refused } = await decide(sight, { plan: input.plan, prune }, policy, earlier);
  if (input.dryRun || refused.length > 0)
    await putJson(vault, k.records.prune.report(prune), { ...plan, refused });
  if (input.dryRun) return plan;
  if (refused.length > 0) {
    await finishBegun(copies, k, earlier);
    throw tooMuch(run, policy.share, refused, k.records.prune.report(prune));
  }
  if (!isWork(plan)) return plan;
  await createJson(vault, k.records.prune.plan(prune), plan);
  return getJson(vault, PrunePlan, k.records.prune.plan(prune));
}

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
      hint: `Read ${report}; if that is meant, holdfast prune ${input.plan} --allow-share 100, or start the machine with {"plan": "${input.plan}", "allowShare": 100}`,
    },
  );
}

/** Objects of both copies. The record goes first: from then on the recovery point does not exist, whatever is left of it. */
async function removeObjects(copies: Copies, k: VaultKeys, plan: PrunePlan): Promise<void> {
  for (const copy of COPIES)
    for (const backup of removedFrom(plan[copy])) await removeBackup(copies[copy], k, backup);
}

async function finishBegun(copies: Copies, k: VaultKeys, earlier: readonly OpenRun[]): Promise<void> {
  for (const copy of COPIES)
    for (const backup of earlier.flatMap((run) => run[copy].backups))
      await removeBackup(copies[copy], k, backup);
}

async function removeBackup(vault: Vault, k: VaultKeys, backup: string): Promise<void> {
  await vault.remove([k.records.record(backup)]);
  for (const dir of [k.velero.dir(backup), k.records.dir(backup)]) {
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

const idle = ({ input, prune }: PruneRun, outcome: PruneRef['outcome'], reason: string): PruneRef => ({
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
