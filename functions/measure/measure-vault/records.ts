import { HoldfastError } from '../../contract/holdfast-error.ts';
import { MEASURE_MINUTES } from '../../contract/names.ts';
import { isEnough, isProven, type SeenBackup } from '../../core/backup/ages.ts';
import { newestFirst } from '../../core/backup/backup-name.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Verifier } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import { findSignedRecord, isNoteOfFailure } from '../../runtime/signed-records.ts';

/**
 * Number of backups of a plan that one look reads in each copy at most. One or two are enough while all is well. With
 * 64 that are not Completed since the last Completed one, the alarms ring whatever the older ones are.
 */
export const READ_AT_MOST = 64;

/** The backups of one copy of the vault: their names, and the key that their records are verified with. */
export interface RecordSource {
  readonly vault: Vault;
  readonly keys: VaultKeys;
  readonly verifier: Verifier;
  /** Names in the folder of records. */
  readonly names: readonly string[];
  readonly now: Date;
}

/** The newest backups of a plan as far as they were needed; `all`: there are no older ones. */
export interface ReadBackups {
  readonly seen: readonly SeenBackup[];
  readonly all: boolean;
}

/** Reads a plan's backups, newest first, until they say all that its ages need, or READ_AT_MOST is reached. */
export function readNewest(source: RecordSource, plan: string): Promise<ReadBackups> {
  return readUntil(source, plan, (backup) => seeBackup(source, backup), isEnough);
}

/** The same for the replica, where only proven recovery points count. */
export function readNewestProven(source: RecordSource, plan: string): Promise<ReadBackups> {
  const { vault, keys } = source;
  const see = async (backup: string): Promise<SeenBackup> =>
    (await vault.exists(keys.records.replica(backup)))
      ? seeBackup(source, backup)
      : { kind: 'nothing', backup };
  return readUntil(source, plan, see, isProven);
}

/** Records of any age that a look verifies in each copy in addition: others at each look, all of them in turn. */
const AUDITED = 8;
/** Time between two looks. */
const LOOK_MS = MEASURE_MINUTES * 60 * 1000;

/**
 * Verifies some records in turn, so that one without a valid signature is found wherever it is among the names, also below
 * those that a look needs: of a thousand backups each is read once in 31 hours.
 */
export async function auditSome(source: RecordSource): Promise<SeenBackup[]> {
  const names = newestFirst(source.names);
  const turns = Math.ceil(names.length / AUDITED);
  const from = turns === 0 ? 0 : (Math.floor(source.now.getTime() / LOOK_MS) % turns) * AUDITED;
  const seen: SeenBackup[] = [];
  for (const backup of names.slice(from, from + AUDITED)) seen.push(await seeBackup(source, backup));
  return seen;
}

async function readUntil(
  { names, now }: RecordSource,
  plan: string,
  see: (backup: string) => Promise<SeenBackup>,
  isDone: (seen: readonly SeenBackup[], now: Date) => boolean,
): Promise<ReadBackups> {
  const newest = newestFirst(names, plan);
  const seen: SeenBackup[] = [];
  for (const backup of newest.slice(0, READ_AT_MOST)) {
    seen.push(await see(backup));
    if (isDone(seen, now)) break;
  }
  return { seen, all: seen.length === newest.length };
}

/** The record of a backup. One that cannot be verified is an outcome: it must not keep the others from being measured. */
async function seeBackup({ vault, keys, verifier }: RecordSource, backup: string): Promise<SeenBackup> {
  try {
    const found = await findSignedRecord(vault, keys.records.record(backup), verifier);
    if (!found) return { kind: 'nothing', backup };
    if (found.signed) return { kind: 'signed', backup, record: found.record };
    return { kind: isNoteOfFailure(found.record) ? 'nothing' : 'doubtful', backup };
  } catch (error) {
    if (error instanceof HoldfastError && ['RecordForged', 'RecoveryPointDamaged'].includes(error.name))
      return { kind: 'doubtful', backup };
    throw error;
  }
}
