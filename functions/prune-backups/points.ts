import pMap from 'p-map';
import { findJson } from '../adapters/s3/documents.ts';
import { parseBackupName } from '../core/backup-name.ts';
import type { Copy } from '../core/copies.ts';
import { BackupRecord, RecoveryPointLock } from '../core/record.ts';
import type { RecoveryPoint } from '../core/retention.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';
import type { Copies } from '../runtime/copies.ts';
import { type FoundRecord, findSignedRecord, type Verifier } from '../runtime/signed-records.ts';

const CONCURRENCY = 16;

/** The vault as a run sees it. */
export interface PruneSight {
  readonly copies: Copies;
  readonly k: VaultKeys;
  readonly verifier: Verifier;
  readonly now: Date;
}

/** What the vault has of a backup. */
export interface FoundBackup {
  readonly backup: string;
  /** Absent: there is no record in this copy. `unreadable`: there is one that is damaged. */
  readonly primary: FoundRecord | 'unreadable' | undefined;
  readonly replica: FoundRecord | 'unreadable' | undefined;
  readonly proven: Readonly<Record<Copy, boolean>>;
  readonly lockedUntil: Date | undefined;
}

/** Names of all backups of a cluster of which either copy holds anything. */
export async function backupsIn(copies: Copies, k: VaultKeys): Promise<string[]> {
  const folders = [copies.primary, copies.replica].flatMap((vault) => [
    vault.folders(k.records.root),
    vault.folders(k.velero.root),
  ]);
  return [...new Set((await Promise.all(folders)).flat())].filter((name) => parseBackupName(name)).sort();
}

/** Reads of some backups what retention wants to know of them. */
export const findBackups = (
  { primary, replica }: Copies,
  k: VaultKeys,
  names: readonly string[],
  verifier: Verifier,
): Promise<FoundBackup[]> =>
  pMap(
    names,
    async (backup) => ({
      backup,
      primary: await recordIn(primary, k, backup, verifier),
      replica: await recordIn(replica, k, backup, verifier),
      proven: {
        primary: await primary.exists(k.records.replica(backup)),
        replica: await replica.exists(k.records.replica(backup)),
      },
      lockedUntil: await lockOf([primary, replica], k, backup),
    }),
    { concurrency: CONCURRENCY },
  );

/** A record whose signature is wrong, or another backup's, counts as one without; one that cannot be read keeps what it is of. */
async function recordIn(
  vault: Vault,
  k: VaultKeys,
  backup: string,
  verifier: Verifier,
): Promise<FoundRecord | 'unreadable' | undefined> {
  const key = k.records.record(backup);
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

/** Until when the one or the other copy is locked. */
export async function lockOf(
  vaults: readonly Vault[],
  k: VaultKeys,
  backup: string,
): Promise<Date | undefined> {
  const locks = await Promise.all(vaults.map((v) => findJson(v, RecoveryPointLock, k.records.lock(backup))));
  const ends = locks.flatMap((lock) => (lock ? [Date.parse(lock.until)] : [])).filter(Number.isFinite);
  return ends.length > 0 ? new Date(Math.max(...ends)) : undefined;
}

/** A backup as retention sees it in one copy; undefined when the copy has no record of it. */
export function pointIn(copy: Copy, found: FoundBackup, held?: string): RecoveryPoint | undefined {
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

/** An instant that a person named may lie in the future: then what counts is when the backup was made. */
function earlier(named: Date, startedAt: string): Date {
  const started = Date.parse(startedAt);
  return started < named.getTime() ? new Date(started) : named;
}

/** The record, when it is one that Holdfast signed: it names the snapshots of its backup and no others. */
export const namesItsSnapshots = (found: FoundBackup[Copy]): BackupRecord | undefined =>
  found && found !== 'unreadable' && found.signed ? found.record : undefined;
