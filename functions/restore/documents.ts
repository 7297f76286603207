import { Readable } from 'node:stream';
import * as z from 'zod/mini';
import { getJson, putJson } from '../adapters/s3/documents.ts';
import { RestoreOptions } from '../contract/restore-options.ts';
import { jsonLines, readJsonLines } from '../core/bytes/json-lines.ts';
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
  /** Of a claim that the restore created: only this claim is filled. */
  uid: z.optional(z.string()),
});
export type AppliedItem = z.infer<typeof AppliedItem>;

/** Writes the items of a restore, then plan.json: if it exists, the plan is complete. */
export async function putRestore(
  vault: Vault,
  keys: VaultKeys,
  plan: StoredRestore,
  items: readonly PlanItem[],
): Promise<void> {
  await putLines(vault, keys.restores.items(plan.restore), items);
  await putJson(vault, keys.restores.plan(plan.restore), plan);
}

export const getRestore = (vault: Vault, keys: VaultKeys, restore: string): Promise<StoredRestore> =>
  getJson(vault, StoredRestore, keys.restores.plan(restore));

/** Writes values line by line. Memory holds a piece of them. */
async function putLines(vault: Vault, key: string, values: readonly unknown[]): Promise<void> {
  await vault.upload(key, Readable.from(jsonLines(values), { objectMode: false }));
}

/** Reads lines as they arrive, never the whole file. */
async function readLines<T>(vault: Vault, key: string, parse: (line: unknown) => T): Promise<T[]> {
  const values: T[] = [];
  for await (const line of readJsonLines(await vault.stream(key))) values.push(parse(line));
  return values;
}

/**
 * Makes the values of one file share texts that repeat, like types and namespaces: parsing makes a copy per line, which is
 * most of the memory of 400,000 lines.
 */
function sharedTexts(): <T extends AppliedItem | PlanItem>(item: T) => T {
  const known = new Map<string, string>();
  const share = (text: string): string => {
    const same = known.get(text);
    if (same !== undefined) return same;
    if (known.size < MOST_SHARED) known.set(text, text);
    return text;
  };
  return (item) => {
    const { groupResource, version, namespace, reason } = item;
    return Object.assign(item, {
      groupResource: share(groupResource),
      version: share(version),
      ...(namespace !== undefined && { namespace: share(namespace) }),
      ...(reason !== undefined && { reason: share(reason) }),
    });
  };
}
const MOST_SHARED = 20_000;

/** The plan's items, in the order they are applied. Only Holdfast writes the file, so its lines are not validated. */
export function getItems(vault: Vault, keys: VaultKeys, restore: string): Promise<PlanItem[]> {
  const shared = sharedTexts();
  return readLines(vault, keys.restores.items(restore), (line) => shared(line as PlanItem));
}

export function getApplied(
  vault: Vault,
  keys: VaultKeys,
  restore: string,
  stage: 1 | 2,
): Promise<AppliedItem[]> {
  const shared = sharedTexts();
  return readLines(vault, keys.restores.applied(restore, stage), (line) =>
    shared(z.parse(AppliedItem, line)),
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
export const putApplied = (vault: Vault, key: string, items: readonly AppliedItem[]): Promise<void> =>
  putLines(vault, key, items);
