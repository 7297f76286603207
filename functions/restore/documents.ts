import * as z from 'zod/mini';
import { getJson, putJson } from '../adapters/s3/documents.ts';
import { RestoreOptions } from '../contract/restore-options.ts';
import { itemKey, type PlanItem } from '../core/restore/restore-plan.ts';
import type { VaultKeys } from '../core/vault/vault-keys.ts';
import { VolumeOutcome } from '../core/volumes/work.ts';
import type { Vault } from '../ports/vault.ts';

/** plan.json of a restore: its options. Its items are in plan.jsonl next to it. */
export const StoredRestore = z.object({
  restore: z.string(),
  backup: z.string(),
  from: z.string(),
  /** Whether the data of claims is to be restored. A Velero source has none. */
  fillsVolumes: z.boolean(),
  startedAt: z.string(),
  namespaces: z.array(z.string()),
  options: RestoreOptions,
  /** The archive that the plan was made from. Objects are applied from the same one. */
  archiveSha256: z.string(),
  /** Objects in the archive and their bytes, of a signed record. */
  archiveSize: z.optional(z.object({ items: z.int(), bytes: z.int() })),
  dryRun: z.boolean(),
  volumes: z.array(VolumeOutcome),
});
export type StoredRestore = z.infer<typeof StoredRestore>;

/** Key of an applied item in the archive. */
export const keyOfApplied = (a: AppliedItem): string => a.from ?? itemKey({ ...a, namespace: a.namespace });

export type ItemResult = AppliedItem['result'];

/** The result of one item of the plan. */
export const AppliedItem = z.object({
  groupResource: z.string(),
  version: z.string(),
  namespace: z.optional(z.string()),
  name: z.string(),
  /** Key of the object in the archive, if it was renamed or moved. */
  from: z.optional(z.string()),
  result: z.enum(['created', 'updated', 'unchanged', 'skipped', 'held', 'failed']),
  reason: z.optional(z.string()),
  /** Paths at which the object was not as wanted when it was written. Absent: it was exactly as wanted. */
  differs: z.optional(z.array(z.string())),
  /** It failed for a reason that may pass, like a webhook whose pods are not there yet. Stage 2 tries again. */
  again: z.optional(z.boolean()),
});
export type AppliedItem = z.infer<typeof AppliedItem>;

const toLines = (values: readonly unknown[]): Buffer =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

/** Writes the items of a restore, then plan.json: if it exists, the plan is complete. */
export async function putRestore(
  vault: Vault,
  keys: VaultKeys,
  plan: StoredRestore,
  items: readonly PlanItem[],
): Promise<void> {
  await vault.put(keys.restores.items(plan.restore), toLines(items));
  await putJson(vault, keys.restores.plan(plan.restore), plan);
}

export const getRestore = (vault: Vault, keys: VaultKeys, restore: string): Promise<StoredRestore> =>
  getJson(vault, StoredRestore, keys.restores.plan(restore));

const lines = (body: Buffer): unknown[] =>
  body
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as unknown);

/** The plan's items, in the order they are applied. Only Holdfast writes the file, so its lines are not validated. */
export async function getItems(vault: Vault, keys: VaultKeys, restore: string): Promise<PlanItem[]> {
  return lines(await vault.get(keys.restores.items(restore))) as PlanItem[];
}

export async function getApplied(
  vault: Vault,
  keys: VaultKeys,
  restore: string,
  stage: 1 | 2,
): Promise<AppliedItem[]> {
  return lines(await vault.get(keys.restores.applied(restore, stage))).map((line) =>
    z.parse(AppliedItem, line),
  );
}

/** The results of a stage so far; none if it has not started. */
export async function findApplied(
  vault: Vault,
  keys: VaultKeys,
  restore: string,
  stage: 1 | 2,
): Promise<AppliedItem[]> {
  return (await vault.exists(keys.restores.applied(restore, stage)))
    ? getApplied(vault, keys, restore, stage)
    : [];
}

/** Writes the results of a stage. */
export async function putApplied(vault: Vault, key: string, items: readonly AppliedItem[]): Promise<void> {
  await vault.put(key, toLines(items));
}
