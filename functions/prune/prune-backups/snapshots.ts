import pMap from 'p-map';
import { findJson } from '../../adapters/s3/documents.ts';
import { COPIES, type CopyName } from '../../contract/copies.ts';
import { BackupRecord, snapshotsIn } from '../../core/backup/record.ts';
import { graceEnds } from '../../core/retention/prune.ts';
import { contentHash } from '../../core/vault/replication.ts';
import type { FoundBackup, PruneContext } from './points.ts';

const CONCURRENCY = 16;

/**
 * Namespaces whose repositories hold orphaned snapshots: no record of their copy names them, and they are older than the
 * grace period. Only their tags, which restic can read, name their backup. So a Job lists them and decides.
 */
export async function withUnnamedSnapshots(
  context: PruneContext,
  names: readonly string[],
  found: readonly FoundBackup[],
  graceDays: number,
): Promise<string[]> {
  const namespaces = await Promise.all(
    COPIES.map((copy) => inCopy({ ...context, copy }, names, found, graceDays)),
  );
  return [...new Set(namespaces.flat())];
}

async function inCopy(
  { copies, keys, now, copy }: PruneContext & { readonly copy: CopyName },
  names: readonly string[],
  found: readonly FoundBackup[],
  graceDays: number,
): Promise<string[]> {
  const vault = copies[copy];
  const ofPlan = new Set(found.flatMap((f) => idsIn(f[copy])));
  // Records of other plans are read only if a snapshot does not belong to this plan.
  let others: Promise<ReadonlySet<string>> | undefined;
  const known = new Set(found.map((f) => f.backup));
  const ofOthers = async () => {
    const records = await pMap(
      names.filter((name) => !known.has(name)),
      (name) => findJson(vault, BackupRecord, keys.records.record(name)).catch(unreadable),
      { concurrency: CONCURRENCY },
    );
    return new Set(records.flatMap((record) => (record ? snapshotsIn(record) : [])).map((s) => s.snapshot));
  };
  const namespaces: string[] = [];
  for (const namespace of await vault.folders(keys.restic.root)) {
    for await (const { key, modified } of vault.list(`${keys.restic.repository(namespace)}/snapshots/`)) {
      const id = contentHash(key);
      if (!id || ofPlan.has(id) || graceEnds(modified, graceDays) >= now) continue;
      others ??= ofOthers();
      if ((await others).has(id)) continue;
      namespaces.push(namespace);
      break;
    }
  }
  return namespaces;
}

const idsIn = (record: FoundBackup[CopyName]): string[] =>
  record && record !== 'unreadable' ? snapshotsIn(record.record).map((s) => s.snapshot) : [];

/** A damaged record names no snapshots here. The Job finds that the record exists, and keeps its snapshots. */
function unreadable(error: unknown): undefined {
  if ((error as Error).name !== 'RecoveryPointDamaged') throw error;
  return undefined;
}
