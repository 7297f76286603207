import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { archiveWriter } from '../../functions/adapters/archive/writer.ts';
import { putJson } from '../../functions/adapters/s3/documents.ts';
import { commitBackup } from '../../functions/backup/commit-backup/commit.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import { sourcePath } from '../../functions/core/restic/source.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Signer } from '../../functions/ports/signing-key.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { resourcesOf, workOf } from './builders.ts';
import { repositoriesWith } from './seen-snapshots.ts';

/** A claim of the recovery point, and its snapshot. */
export interface SavedVolume {
  readonly namespace: string;
  readonly pvc: string;
  readonly snapshot: string;
}

const secret = (namespace: string, name: string, data: object) =>
  Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data }));

/** The vault and the cluster that a recovery point is of. */
interface PointContext {
  readonly vault: Vault;
  readonly signer: Signer;
  readonly cluster: string;
}

/** Commits a recovery point of some Secrets and volumes with the code that commits a backup. */
export async function commitPoint(
  { vault, signer, cluster }: PointContext,
  backup: string,
  volumes: readonly SavedVolume[],
): Promise<BackupRecord> {
  const keys = vaultKeys(cluster);
  const writer = archiveWriter();
  const archive = buffer(writer.output);
  const count = 20;
  let plainBytes = 0;
  for (let i = 0; i < count; i++) {
    const body = secret('shop', `secret-${i}`, { of: backup, i: `${i * i}` });
    plainBytes += body.length;
    await writer.add(TYPES.secrets, `secret-${i}`, 'shop', body);
  }
  const { archiveBytes, sha256 } = await writer.end();
  await vault.put(keys.velero.archive(backup), await archive);
  await vault.put(keys.velero.resourceList(backup), gzipSync(JSON.stringify({ 'v1/Secret': [backup] })));
  const startedAt = '2026-01-01T00:00:00.000Z';
  await putJson(
    vault,
    keys.records.resources(backup),
    resourcesOf({ items: count, bytes: plainBytes, archiveBytes, sha256 }),
  );
  const work = volumes.map(({ namespace, pvc }) => ({
    id: `${namespace}.${pvc}`,
    namespace,
    pvc,
    strategy: 'mount' as const,
  }));
  for (const [i, { namespace, pvc, snapshot }] of volumes.entries())
    await putJson(vault, keys.records.volume(backup, work[i]?.id as string), {
      id: work[i]?.id,
      namespace,
      pvc,
      result: 'protected',
      snapshot,
    });
  await putJson(vault, keys.records.work(backup), workOf({ backup, startedAt, volumes: work }));
  const paths = Object.fromEntries(volumes.map((v) => [v.snapshot, sourcePath(v)]));
  const openRepository = repositoriesWith({ cluster, backup, paths });
  const now = new Date('2026-01-01T00:01:00Z');
  return commitBackup({ vault, keys, cluster, now, signer, openRepository }, backup);
}
