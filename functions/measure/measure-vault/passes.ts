import * as z from 'zod/mini';
import { findJson } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { isPast } from '../../core/backup/ages.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { RecoveryPointLock } from '../../core/backup/record.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';

/** Number of runs, or of recovery points, in which the newest completed pass is looked for. */
const LOOK_BACK = 32;

const DAY_MS = 24 * 3600 * 1000;
const Began = z.object({ startedAt: z.string() });

/** When the newest verification that has a report began; undefined if none of the newest runs has one. */
export async function lastVerification(vault: Vault, keys: VaultKeys, now: Date): Promise<Date | undefined> {
  const { verify } = keys.records;
  const runs = (await vault.folders(verify.root)).sort().reverse().slice(0, LOOK_BACK);
  return firstPast(runs, now, async (run) => (await readable(vault, Began, verify.report(run)))?.startedAt);
}

/**
 * When the newest completed pass over the locks of one copy began, as lock.json of a recovery point says; undefined if none
 * of those that were looked at has one. Each pass writes to all recovery points that it keeps, so the newest that are older
 * than a day come first, then the younger ones, the oldest first.
 */
export async function lastLockPass(
  vault: Vault,
  keys: VaultKeys,
  names: readonly string[],
  now: Date,
): Promise<Date | undefined> {
  const points = names
    .map((name) => ({ name, at: parseBackupName(name)?.at }))
    .filter((point): point is { name: string; at: Date } => point.at !== undefined)
    .sort((a, b) => b.at.getTime() - a.at.getTime());
  const young = points.findIndex(({ at }) => at.getTime() < now.getTime() - DAY_MS);
  const [younger, older] = young < 0 ? [points, []] : [points.slice(0, young), points.slice(young)];
  const order = [...older.slice(0, LOOK_BACK), ...younger.reverse().slice(0, LOOK_BACK)];
  return firstPast(
    order.map(({ name }) => name),
    now,
    async (name) => (await readable(vault, RecoveryPointLock, keys.records.lock(name)))?.began,
  );
}

/** The first of the times that is known and has come. */
async function firstPast(
  names: readonly string[],
  now: Date,
  timeOf: (name: string) => Promise<string | undefined>,
): Promise<Date | undefined> {
  for (const name of names) {
    const text = await timeOf(name);
    const at = new Date(text ?? Number.NaN);
    if (isPast(at, now)) return at;
  }
  return undefined;
}

/** A document; undefined if it does not exist or is none. */
async function readable<T>(vault: Vault, schema: z.core.$ZodType<T>, key: string): Promise<T | undefined> {
  try {
    return await findJson(vault, schema, key);
  } catch (error) {
    if (error instanceof HoldfastError && error.name === 'RecoveryPointDamaged') return undefined;
    throw error;
  }
}
