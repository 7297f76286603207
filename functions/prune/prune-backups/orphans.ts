import pMap from 'p-map';
import { COPIES, type PerCopy } from '../../contract/copies.ts';
import { isLeftOver, type Orphan } from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { type FoundBackup, lockOf, type PruneContext } from './points.ts';

const CONCURRENCY = 8;

/** Orphaned backups by copy. */
export type Orphans = PerCopy<Orphan[]> & {
  /** Backups without a record that may be in progress. */
  readonly young: readonly string[];
};

/** Number of objects that a copy has of a backup, by folder, and when the newest was written. */
interface Left {
  readonly velero: number;
  readonly records: number;
  readonly lastWritten: Date | undefined;
}

/** Finds objects of backups that have no record in either copy, regardless of their plan. */
export async function orphansIn(
  { copies, keys, now }: Omit<PruneContext, 'verifier'>,
  names: readonly string[],
  found: readonly FoundBackup[],
  graceDays: number,
): Promise<Orphans> {
  const known = new Map(found.map((f) => [f.backup, f]));
  const orphans = { primary: [] as Orphan[], replica: [] as Orphan[], young: [] as string[] };
  const look = async (backup: string) => {
    if (await hasRecord(copies, keys, backup, known.get(backup))) return;
    const left = {
      primary: await leftIn(copies.primary, keys, backup),
      replica: await leftIn(copies.replica, keys, backup),
    };
    const ours = left.primary.records + left.replica.records > 0;
    const locked = ((await lockOf([copies.primary, copies.replica], keys, backup)) ?? now) > now;
    const old = COPIES.every(
      (copy) =>
        left[copy].lastWritten === undefined || isLeftOver(backup, left[copy].lastWritten, now, graceDays),
    );
    if (!old) orphans.young.push(backup);
    for (const copy of COPIES) {
      const objects = left[copy].velero + left[copy].records;
      if (objects > 0) orphans[copy].push({ backup, objects, ...judge(old, ours, locked, graceDays) });
    }
  };
  await pMap(names, look, { concurrency: CONCURRENCY });
  const byName = (a: { backup: string }, b: { backup: string }) => (a.backup < b.backup ? -1 : 1);
  return {
    primary: orphans.primary.sort(byName),
    replica: orphans.replica.sort(byName),
    young: orphans.young.sort(),
  };
}

function judge(
  old: boolean,
  ours: boolean,
  locked: boolean,
  graceDays: number,
): Pick<Orphan, 'remove' | 'reason'> {
  if (!old) return { remove: false, reason: `no record, and not older than ${graceDays} days` };
  // Velero may use this bucket too, and name its backups alike.
  if (!ours) return { remove: false, reason: 'no evidence that Holdfast created it' };
  if (locked) return { remove: false, reason: 'no record, but locked' };
  return { remove: true, reason: `no record, and older than ${graceDays} days` };
}

/** Whether either copy has a record of a backup. `known`: the backup as it was read for retention. */
async function hasRecord(
  { primary, replica }: PerCopy<Vault>,
  keys: VaultKeys,
  backup: string,
  known: FoundBackup | undefined,
): Promise<boolean> {
  if (known) return known.primary !== undefined || known.replica !== undefined;
  const key = keys.records.record(backup);
  return (await primary.exists(key)) || (await replica.exists(key));
}

async function leftIn(vault: Vault, keys: VaultKeys, backup: string): Promise<Left> {
  const times: Date[] = [];
  const count = async (prefix: string) => {
    let objects = 0;
    for await (const o of vault.list(prefix)) {
      objects++;
      times.push(o.modified);
    }
    return objects;
  };
  const velero = await count(keys.velero.dir(backup));
  const records = await count(keys.records.dir(backup));
  const lastWritten = times.reduce<Date | undefined>((a, b) => (a === undefined || b > a ? b : a), undefined);
  return { velero, records, lastWritten };
}
