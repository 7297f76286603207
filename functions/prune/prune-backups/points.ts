import pMap from 'p-map';
import { findJson } from '../../adapters/s3/documents.ts';
import type { CopyName, PerCopy } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { BackupRecord, RecoveryPointLock } from '../../core/backup/record.ts';
import type { RecoveryPoint } from '../../core/retention/retention.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { type FoundRecord, findSignedRecord } from '../../runtime/signed-records.ts';

const CONCURRENCY = 16;

/** Both copies of the vault, and what is needed to read them. */
export interface PruneVault {
  readonly copies: PerCopy<Vault>;
  readonly keys: VaultKeys;
  readonly verifier: Verifier;
}

/** What a prune run decides with. */
export interface PruneContext extends PruneVault {
  readonly now: Date;
}

/** A backup as it is in both copies of the vault. */
export interface FoundBackup {
  readonly backup: string;
  /** undefined: this copy has no record. `unreadable`: its record is damaged. */
  readonly primary: FoundRecord | 'unreadable' | undefined;
  readonly replica: FoundRecord | 'unreadable' | undefined;
  readonly proven: PerCopy<boolean>;
  readonly lockedUntil: Date | undefined;
}

/** Sorted names of all backups of a cluster that have objects in either copy. */
export async function backupsIn(copies: PerCopy<Vault>, keys: VaultKeys): Promise<string[]> {
  const folders = [copies.primary, copies.replica].flatMap((vault) => [
    vault.folders(keys.records.root),
    vault.folders(keys.velero.root),
  ]);
  return [...new Set((await Promise.all(folders)).flat())].filter((name) => parseBackupName(name)).sort();
}

/** Reads the records, proofs and locks of backups. */
export const findBackups = (
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  names: readonly string[],
  verifier: Verifier,
): Promise<FoundBackup[]> =>
  pMap(
    names,
    async (backup) => ({
      backup,
      primary: await recordIn(primary, keys, backup, verifier),
      replica: await recordIn(replica, keys, backup, verifier),
      proven: {
        primary: await primary.exists(keys.records.replica(backup)),
        replica: await replica.exists(keys.records.replica(backup)),
      },
      lockedUntil: await lockOf([primary, replica], keys, backup),
    }),
    { concurrency: CONCURRENCY },
  );

/** A record that is forged, or is another backup's, counts as unsigned. A damaged record keeps its backup. */
async function recordIn(
  vault: Vault,
  keys: VaultKeys,
  backup: string,
  verifier: Verifier,
): Promise<FoundRecord | 'unreadable' | undefined> {
  const key = keys.records.record(backup);
  try {
    const found = await findSignedRecord(vault, key, verifier);
    return found && { ...found, signed: found.signed && found.record.backup === backup };
  } catch (error) {
    const { name } = error as Error;
    if (name === 'RecoveryPointDamaged') return 'unreadable';
    if (name !== 'RecordForged') throw error;
    const record = await findJson(vault, BackupRecord, key);
    return record && { record, signed: false };
  }
}

/** The later end of the locks of a backup's copies; undefined if neither is locked. */
export async function lockOf(
  vaults: readonly Vault[],
  keys: VaultKeys,
  backup: string,
): Promise<Date | undefined> {
  const locks = await Promise.all(
    vaults.map((v) => findJson(v, RecoveryPointLock, keys.records.lock(backup))),
  );
  const ends = locks.flatMap((lock) => (lock ? [Date.parse(lock.until)] : [])).filter(Number.isFinite);
  return ends.length > 0 ? new Date(Math.max(...ends)) : undefined;
}

/** A backup of one copy as input of retention; undefined if the copy has no record of it. `held`: why it is kept. */
export function pointIn(copy: CopyName, found: FoundBackup, held?: string): RecoveryPoint | undefined {
  const { backup, proven, lockedUntil } = found;
  const record = found[copy];
  if (!record) return undefined;
  const named = (parseBackupName(backup) as { at: Date }).at;
  const common = { backup, replicated: proven[copy], lockedUntil };
  if (record === 'unreadable')
    return {
      ...common,
      at: named,
      phase: 'Unknown',
      signed: false,
      tags: [],
      held: 'its record cannot be read',
    };
  const { phase, tags = [], startedAt } = record.record;
  return {
    ...common,
    at: earlier(named, startedAt),
    phase,
    signed: record.signed,
    tags,
    ...(held && { held }),
  };
}

/** A point in time set by a user may be in the future: then the start of the backup counts. */
function earlier(named: Date, startedAt: string): Date {
  const started = Date.parse(startedAt);
  return started < named.getTime() ? new Date(started) : named;
}

/** The record if it is signed: it names all snapshots of its backup and no others. */
export const namesItsSnapshots = (found: FoundBackup[CopyName]): BackupRecord | undefined =>
  found && found !== 'unreadable' && found.signed ? found.record : undefined;
