import type { ApplyRequest, ApplyState } from '../../contract/states.ts';
import { itemKey } from '../../core/restore/restore-plan.ts';
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
import { applyItems } from './apply.ts';

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
 * no time for are `remaining`: the next call resumes with them. A call that was killed resumes when it is repeated.
 */
export async function applyStage(
  { vault, keys, sourceOf, withCluster, goOn, sleep }: StageContext,
  { restore, backup, stage }: ApplyRequest,
): Promise<ApplyState> {
  const plan = await getRestore(vault, keys, restore);
  const before = await findApplied(vault, keys, restore, stage);
  const done = new Set(before.map(keyOfApplied));
  const items = (await getItems(vault, keys, restore)).filter((i) => i.stage === stage);
  const open = items.filter((i) => i.action === 'create' && !done.has(itemKey(i)));
  const bodies = await archivedObjects(sourceOf(plan.from), plan, open);
  const { options } = plan;
  const apply = { backup, restore, options, before, goOn, ...(sleep && { sleep }) };
  const applied = await withCluster((cluster) => applyItems(cluster, items, bodies, apply));
  await putApplied(vault, keys.restores.applied(restore, stage), applied);
  return stateOf(applied, items.length);
}

function stateOf(applied: readonly AppliedItem[], all: number): ApplyState {
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
