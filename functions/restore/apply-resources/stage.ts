import type { ApplyRequest, ApplyState } from '../../contract/states.ts';
import { itemKey, type PlanItem } from '../../core/restore/restore-plan.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Vault } from '../../ports/vault.ts';
import { archivedObjects } from '../archived-objects.ts';
import {
  type AppliedItem,
  findApplied,
  getItems,
  getRestore,
  type ItemResult,
  keyOfApplied,
  putApplied,
} from '../documents.ts';
import type { RestoreSource } from '../source.ts';
import { applyItems, type Bodies } from './apply.ts';
import { adoptAll } from './owners.ts';

/** What a stage of a restore is applied with. */
export interface StageContext {
  /** The primary copy, which has the documents of restores. */
  readonly vault: Vault;
  readonly keys: VaultKeys;
  /** Where a restore reads, by the name of its source. */
  sourceOf(from: string): RestoreSource;
  /** Calls `work` with a client that has the identity for restores. */
  withCluster<T>(work: (cluster: KubeClient) => Promise<T>): Promise<T>;
  /** Whether there is time to start another object. */
  goOn(): boolean;
  /** Waits; absent: in real time. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Creates the objects of one stage in the cluster, in the order of the plan, and writes the results. Objects that there was
 * no time for are `remaining`: the next call resumes with them. The second stage also tries what the first one left to it, and
 * gives owned objects their owners. A call that was killed resumes when it is repeated.
 */
export async function applyStage(
  { vault, keys, sourceOf, withCluster, goOn, sleep }: StageContext,
  { restore, backup, stage, stage1, stage2 }: ApplyRequest,
): Promise<ApplyState> {
  const plan = await getRestore(vault, keys, restore);
  const before = await findApplied(vault, keys, restore, stage);
  const earlier = stage === 2 ? await findApplied(vault, keys, restore, 1) : [];
  const left = new Set(earlier.filter((a) => a.again).map(keyOfApplied));
  const all = await getItems(vault, keys, restore);
  const items = all.filter((i) => i.stage === stage || left.has(itemKey(i)));
  const source = sourceOf(plan.from);
  const bodies: Bodies = (window) => archivedObjects(source, plan, window);
  const { options } = plan;
  let waitedMs = ((stage === 1 ? stage1 : stage2)?.waitedSeconds ?? 0) * 1000;
  const onWait = (ms: number) => {
    waitedMs += ms;
  };
  const apply = { backup, restore, stage, options, before, earlier, waitedMs, onWait, goOn };
  const { applied, orphans } = await withCluster(async (cluster) => {
    const done = await applyItems(cluster, items, bodies, { ...apply, ...(sleep && { sleep }) });
    const made = stage === 2 ? ownedItems(all, [...earlier, ...done]) : [];
    return { applied: done, orphans: await adoptAll(cluster, made, { options, goOn }) };
  });
  await putApplied(vault, keys.restores.applied(restore, stage), applied);
  return { ...stateOf(applied, items.length + orphans), waitedSeconds: Math.round(waitedMs / 1000) };
}

/** Items that this restore created and that have owners in the recovery point. */
function ownedItems(items: readonly PlanItem[], applied: readonly AppliedItem[]): PlanItem[] {
  const created = new Set(applied.filter((a) => a.result === 'created').map(keyOfApplied));
  return items.filter((i) => i.owners?.length && created.has(itemKey(i)));
}

function stateOf(applied: readonly AppliedItem[], all: number): Omit<ApplyState, 'waitedSeconds'> {
  const count = (result: ItemResult) => applied.filter((a) => a.result === result).length;
  return {
    created: count('created'),
    updated: count('updated'),
    unchanged: count('unchanged'),
    skipped: count('skipped'),
    held: count('held'),
    failed: count('failed'),
    remaining: all - applied.length,
  };
}
