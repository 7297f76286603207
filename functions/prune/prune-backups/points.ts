import pMap from 'p-map';
import { findJson } from '../../adapters/s3/documents.ts';
import type { CopyName, PerCopy } from '../../contract/copies.ts';
import { parseBackupName } from '../../core/backup/backup-name.ts';
import { BackupRecord, RecoveryPointLock, snapshotsIn } from '../../core/backup/record.ts';
import { factsOf, interner, type PointFacts, pointOf } from '../../core/retention/points.ts';
import type { NamedSnapshot } from '../../core/retention/prune.ts';
import type { RecoveryPoint } from '../../core/retention/retention.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import type { Repository } from '../../runtime/repositories.ts';
import { type FoundRecord, findSignedRecord } from '../../runtime/signed-records.ts';

const CONCURRENCY = 16;

/** Both copies of the vault, and what is needed to read them. */
export interface PruneVault {
  readonly copies: PerCopy<Vault>;
  readonly keys: VaultKeys;
  /** The cluster's name: the host of its snapshots. */
  readonly cluster: string;
  readonly verifier: Verifier;
  /** Opens a repository of a copy. Throws RecoveryPointDamaged if Holdfast's password does not open it. */
  open(copy: CopyName, repository: string): Promise<Repository>;
  /** Whether there is time to open another repository. */
  timeLeft(): boolean;
  /** Logs what somebody should look at. */
  warn(text: string): void;
}

/** What a prune run decides with. */
export interface PruneContext extends PruneVault {
  readonly now: Date;
}

/** What a prune uses of a record that one copy has. */
export interface StoredRecord {
  readonly facts: PointFacts;
  readonly signed: boolean;
  readonly snapshots: readonly NamedSnapshot[];
}

/** A backup as it is in both copies of the vault. */
export interface FoundBackup {
  readonly backup: string;
  /** undefined: this copy has no record. `unreadable`: its record is damaged. */
  readonly primary: StoredRecord | 'unreadable' | undefined;
  readonly replica: StoredRecord | 'unreadable' | undefined;
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

/** Reads the records of backups; of those to which retention applies, also proofs and locks. */
export const findBackups = (
  { copies: { primary, replica }, keys, verifier }: PruneVault,
  names: readonly string[],
  applies: (name: string) => boolean,
): Promise<FoundBackup[]> => {
  const intern = interner();
  const stored = async (vault: Vault, backup: string) => {
    const found = await recordIn(vault, keys, backup, verifier);
    if (!found || found === 'unreadable') return found;
    return {
      facts: factsOf(found.record, intern),
      signed: found.signed,
      snapshots: snapshotsIn(found.record).map((s) => ({ ...s, namespace: intern(s.namespace) })),
    };
  };
  const proven = async (vault: Vault, backup: string) =>
    applies(backup) && (await vault.exists(keys.records.replica(backup)));
  return pMap(
    names,
    async (backup) => ({
      backup,
      primary: await stored(primary, backup),
      replica: await stored(replica, backup),
      proven: { primary: await proven(primary, backup), replica: await proven(replica, backup) },
      lockedUntil: applies(backup) ? await lockOf([primary, replica], keys, backup) : undefined,
    }),
    { concurrency: CONCURRENCY },
  );
};

/** A record that is forged, or is another backup's, counts as unsigned. A damaged record keeps its backup. */
async function recordIn(
  vault: Vault,
  keys: VaultKeys,
  backup: string,
  verifier: Verifier,
): Promise<FoundRecord | 'unreadable' | undefined> {
  const key = keys.records.record(backup);
  try {
    return await findSignedRecord(vault, key, verifier);
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
  const stored = { replicated: proven[copy], lockedUntil };
  if (record !== 'unreadable')
    return pointOf(backup, record.facts, { ...stored, signed: record.signed, held });
  return {
    ...stored,
    backup,
    at: (parseBackupName(backup) as { at: Date }).at,
    phase: 'Unknown',
    signed: false,
    tags: [],
    held: UNREADABLE,
  };
}

const UNREADABLE = 'its record cannot be read';

/** Whether the backup's record is signed: it then names all snapshots of its backup and no others. */
export const namesItsSnapshots = (found: FoundBackup[CopyName]): found is StoredRecord =>
  found !== undefined && found !== 'unreadable' && found.signed;
