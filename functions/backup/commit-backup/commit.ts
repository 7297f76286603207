import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import pMap from 'p-map';
import { findJson, getJson } from '../../adapters/s3/documents.ts';
import { newestFirst } from '../../core/backup/backup-name.ts';
import { changesBetween } from '../../core/backup/changes.ts';
import { ControlPlaneOutcome } from '../../core/backup/control-plane.ts';
import { type Claim, controlPlaneClaim, volumeClaim } from '../../core/backup/evidence.ts';
import {
  type BackupRecord,
  type ChangesSince,
  decidePhase,
  ResourceResult,
  Work,
} from '../../core/backup/record.ts';
import { veleroBackup, veleroResults, veleroVolumeInfo } from '../../core/backup/velero.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import type { Signer } from '../../ports/signing-key.ts';
import type { Vault } from '../../ports/vault.ts';
import type { Repository } from '../../runtime/repositories.ts';
import { putSignedRecord } from '../../runtime/signed-records.ts';
import { findFingerprints } from '../export/documents.ts';
import { outcomesOf } from '../hooks.ts';
import { seenInVault } from './evidence.ts';
import { readBack } from './read-back.ts';

/** Number of earlier backups that are searched for fingerprints. Failed backups may have none. */
const LOOK_BACK = 5;
const CONCURRENCY = 16;

const sha256 = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
const gz = (value: unknown): Buffer => gzipSync(JSON.stringify(value));

/** What reconciliation found out about each volume. */
async function volumeClaims(vault: Vault, keys: VaultKeys, work: Work): Promise<Claim<VolumeOutcome>[]> {
  const found = await pMap(
    work.volumes,
    async (v) => {
      const outcome = await findJson(vault, VolumeOutcome, keys.records.volume(work.backup, v.id));
      return outcome && volumeClaim(v, outcome);
    },
    { concurrency: CONCURRENCY },
  );
  return found.filter((claim) => claim !== undefined);
}

async function controlPlaneClaims(
  vault: Vault,
  keys: VaultKeys,
  { backup, controlPlane }: Work,
): Promise<Claim<ControlPlaneOutcome>[]> {
  const { nodes = [] } = controlPlane ?? {};
  const ids = controlPlane
    ? ['etcd-status', 'etcd', 'etcd-scratch', ...nodes.map((node) => `files.${node}`)]
    : [];
  const found = await Promise.all(
    ids.map((id) => findJson(vault, ControlPlaneOutcome, keys.records.controlPlane(backup, id))),
  );
  const outcomes = found.filter((o) => o !== undefined);
  const etcd = outcomes.find((o) => o.id === 'etcd');
  // Without a leader no snapshot was taken: the status outcome then becomes the outcome of etcd.
  const kept = outcomes.flatMap((o) => {
    if (o.id !== 'etcd-status') return [o];
    return etcd || o.result === 'protected' ? [] : [{ ...o, id: 'etcd' }];
  });
  return kept.map((outcome) => controlPlaneClaim(outcome, nodes));
}

/** Counts of changes since the newest earlier backup of the plan that has fingerprints. */
async function changesSince(vault: Vault, keys: VaultKeys, work: Work): Promise<ChangesSince | undefined> {
  const after = await findFingerprints(vault, keys.records.fingerprints(work.backup));
  if (!after) return undefined;
  const all = newestFirst(await vault.folders(keys.records.root), work.plan);
  const earlier = all.slice(all.indexOf(work.backup) + 1);
  for (const name of earlier.slice(0, LOOK_BACK)) {
    const before = await findFingerprints(vault, keys.records.fingerprints(name));
    if (before) return { since: name, ...changesBetween(before, after) };
  }
  return undefined;
}

/** What a backup is committed with. */
export interface CommitContext {
  readonly vault: Vault;
  readonly keys: VaultKeys;
  /** Name of the cluster. */
  readonly cluster: string;
  readonly now: Date;
  readonly signer: Signer;
  /** Opens the repository of a namespace in this vault. Throws RecoveryPointDamaged if it cannot be opened. */
  openRepository(namespace: string): Promise<Repository>;
}

/**
 * Reads the archive back and each snapshot, then writes all documents of a recovery point. The signed record.json is written
 * last: it says what was seen in the vault, and of sizes what the snapshots say. Idempotent.
 *
 * @throws HoldfastError RecoveryPointDamaged when a restore would refuse the archive: there is no recovery point then.
 */
export async function commitBackup(
  { vault, keys, cluster, now, signer, openRepository }: CommitContext,
  backup: string,
): Promise<BackupRecord> {
  const work = await getJson(vault, Work, keys.records.work(backup));
  const resources = await getJson(vault, ResourceResult, keys.records.resources(backup));
  await readBack(await vault.stream(keys.velero.archive(backup)), resources);
  const evidence = { cluster, backup, openRepository };
  const volumes = await seenInVault(evidence, await volumeClaims(vault, keys, work));
  const controlPlane = await seenInVault(evidence, await controlPlaneClaims(vault, keys, work));
  const hooks = await outcomesOf(vault, keys, backup, work.hooks ?? []);
  const { phase, reasons } = decidePhase(work, { resources, volumes, controlPlane, hooks });
  const startedAt = new Date(work.startedAt);
  const unprotected = work.unprotected.map((u) => `volume ${u.volume} is not protected: ${u.reason}`);
  const results = veleroResults(volumes, [...reasons, ...unprotected], (ns) => keys.restic.repository(ns));
  const velero = veleroBackup({
    backup,
    cluster,
    plan: work.plan,
    namespaces: work.namespaces,
    phase,
    startedAt,
    completedAt: now,
    items: resources.items,
    // Velero shows results only if the backup counts warnings or errors. A protected volume has a result too.
    warnings: unprotected.length + volumes.filter((v) => v.result === 'protected').length,
    errors: reasons.length,
  });
  const changes = await changesSince(vault, keys, work);
  const documents: [string, Buffer][] = [
    [keys.velero.results(backup), gz(results)],
    [keys.velero.volumeInfo(backup), gz(veleroVolumeInfo(volumes))],
    [keys.velero.backup(backup), Buffer.from(JSON.stringify(velero))],
  ];
  for (const [key, body] of documents) await vault.put(key, body);
  const list = await vault.get(keys.velero.resourceList(backup));
  const record: BackupRecord = {
    version: 1,
    cluster,
    plan: work.plan,
    backup,
    phase,
    reasons,
    startedAt: work.startedAt,
    completedAt: now.toISOString(),
    ...(work.tags && { tags: work.tags }),
    namespaces: work.namespaces,
    resources,
    ...(changes && { changes }),
    volumes,
    ...(work.controlPlane && { controlPlane }),
    ...(work.hooks && { hooks }),
    excluded: work.excluded,
    unprotected: work.unprotected,
    objects: [
      { key: keys.velero.archive(backup), bytes: resources.archiveBytes, sha256: resources.sha256 },
      { key: keys.velero.resourceList(backup), bytes: list.length, sha256: sha256(list) },
      ...documents.map(([key, body]) => ({ key, bytes: body.length, sha256: sha256(body) })),
    ],
  };
  await putSignedRecord(vault, keys.records.record(backup), record, signer);
  return record;
}
