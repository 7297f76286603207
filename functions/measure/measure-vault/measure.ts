import { findJson } from '../../adapters/s3/documents.ts';
import type { PerCopy } from '../../contract/copies.ts';
import { newestFirst } from '../../core/backup/backup-name.ts';
import { BackupRecord } from '../../core/backup/record.ts';
import { type Ages, agesOf } from '../../core/retention/ages.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';

/** Ages of each plan's newest recovery points, by plan. Reads as few documents as possible. */
export async function measure(
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  plans: readonly string[],
  now: Date,
): Promise<Map<string, Ages>> {
  const here = await primary.folders(keys.records.root);
  const there = await replica.folders(keys.records.root);
  const ages = new Map<string, Ages>();
  for (const plan of plans) {
    const newest = await firstGood(primary, keys, newestFirst(here, plan));
    const proven = await firstGood(replica, keys, newestFirst(there, plan), (name) =>
      replica.exists(keys.records.replica(name)),
    );
    ages.set(plan, agesOf(newest, proven, now));
  }
  return ages;
}

/** The first recovery point that is committed and did not fail. */
async function firstGood(
  vault: Vault,
  keys: VaultKeys,
  names: readonly string[],
  isProven: (name: string) => Promise<boolean> = async () => true,
): Promise<BackupRecord | undefined> {
  for (const name of names) {
    if (!(await isProven(name))) continue;
    const record = await findJson(vault, BackupRecord, keys.records.record(name));
    if (record && record.phase !== 'Failed') return record;
  }
  return undefined;
}
