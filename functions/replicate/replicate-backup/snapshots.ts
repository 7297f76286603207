import pMap from 'p-map';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { type BackupRecord, snapshotsIn } from '../../core/backup/record.ts';
import { snapshotKey } from '../../core/restic/ids.ts';
import type { Vault } from '../../ports/vault.ts';
import type { ReplicateContext } from './replicate.ts';

const CONCURRENCY = 16;

/**
 * Looks for every snapshot that a record names in the listings of both copies: a replica that has all objects of the primary is
 * no proof of a snapshot that the primary does not have either. False: there was no time for all of them.
 *
 * @throws HoldfastError RecoveryPointDamaged when the primary does not have a snapshot; ReplicaMismatch when only the replica
 * does not. Both name it.
 */
export async function hasSnapshots(
  { primary, replica, keys, timeLeft }: Omit<ReplicateContext, 'awaitsS3'>,
  record: BackupRecord,
): Promise<boolean> {
  const names = snapshotsIn(record).map((s) => snapshotKey(keys.restic.repository(s.namespace), s.snapshot));
  const looks = await pMap(
    new Set(names),
    async (key) => {
      if (!timeLeft()) return false;
      if (!(await isListed(primary, key))) throw missing('RecoveryPointDamaged', key, primary);
      if (!(await isListed(replica, key))) throw missing('ReplicaMismatch', key, replica);
      return true;
    },
    { concurrency: CONCURRENCY },
  );
  return looks.every(Boolean);
}

async function isListed(vault: Vault, key: string): Promise<boolean> {
  for await (const object of vault.list(key)) return object.key === key;
  return false;
}

const missing = (name: 'RecoveryPointDamaged' | 'ReplicaMismatch', key: string, { bucket }: Vault) =>
  new HoldfastError(name, `the record names ${key}, which is not in bucket ${bucket}`, {
    hint: 'Run the plan again. The replica keeps its older recovery points',
  });
