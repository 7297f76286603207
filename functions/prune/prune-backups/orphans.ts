import pMap from 'p-map';
import { COPIES, type PerCopy } from '../../contract/copies.ts';
import { isLeftOver } from '../../core/retention/orphans.ts';
import type { Orphan } from '../../core/retention/prune.ts';
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
  { copies, keys, now }: Pick<PruneContext, 'copies' | 'keys' | 'now'>,
  found: readonly FoundBackup[],
  graceDays: number,
): Promise<Orphans> {
  const orphans = { primary: [] as Orphan[], replica: [] as Orphan[], young: [] as string[] };
  const look = async ({ backup }: FoundBackup) => {
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
  const without = found.filter((f) => f.primary === undefined && f.replica === undefined);
  await pMap(without, look, { concurrency: CONCURRENCY });
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
