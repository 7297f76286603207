import pMap from 'p-map';
import { COPIES, type PerCopy } from '../../contract/copies.ts';
import { isLeftOver, type Orphan } from '../../core/retention/prune.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';
import { type FoundBackup, lockOf } from './points.ts';

const CONCURRENCY = 8;

export type Orphans = PerCopy<Orphan[]> & {
  /** Backups without a record that may be at work. */
  readonly young: readonly string[];
};

/** What a copy has of a backup, in its two folders. */
interface Left {
  readonly velero: number;
  readonly records: number;
  readonly lastWritten: Date | undefined;
}

/** Finds objects of backups that have no record in either copy, whichever plan's they are. */
export async function orphansIn(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  names: readonly string[],
  found: readonly FoundBackup[],
  now: Date,
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
  // A Velero that has this bucket as its location names its backups alike.
  if (!ours) return { remove: false, reason: 'nothing shows that Holdfast made it' };
  if (locked) return { remove: false, reason: 'no record, but locked' };
  return { remove: true, reason: `no record, and older than ${graceDays} days` };
}

/** As the backup was read for retention, or by a look at the one object. */
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
