import { encode } from '../../functions/adapters/s3/documents.ts';
import { COPIES, type CopyName, type PerCopy } from '../../functions/contract/copies.ts';
import type { PruneRef } from '../../functions/contract/states.ts';
import { backupName, pruneName } from '../../functions/core/backup/backup-name.ts';
import type { BackupRecord } from '../../functions/core/backup/record.ts';
import { PrunePlan, snapshotsOf } from '../../functions/core/retention/prune.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Verifier } from '../../functions/ports/signing-key.ts';
import type { PrunePolicy } from '../../functions/prune/prune-backups/decide.ts';
import type { PruneVault } from '../../functions/prune/prune-backups/points.ts';
import { pruneBackups } from '../../functions/prune/prune-backups/prune.ts';
import { openRepository } from '../../functions/runtime/repositories.ts';
import { putSignedRecord } from '../../functions/runtime/signed-records.ts';
import { DATA, recordOf, workOf } from './builders.ts';
import { keyPair } from './key-pair.ts';
import { MemoryVault } from './memory-vault.ts';
import { ResticWriter, type SnapshotText } from './restic-writer.ts';

const keys = vaultKeys('paris');
const passwordOf = (repository: string): string => `password of ${repository}`;

/** What a prune run of the cluster paris works with. */
export const pruneVault = (copies: PerCopy<MemoryVault>, verifier: Verifier): PruneVault => ({
  copies,
  keys,
  cluster: 'paris',
  verifier,
  open: (copy, repository) => openRepository(copies[copy], repository, passwordOf(repository)),
  timeLeft: () => true,
  warn: () => undefined,
});

const NOW = new Date('2026-02-01T02:00:00Z');
const LONG_AGO = new Date('2026-01-02T00:00:00Z');

/** The name of the run of a PrunedVault. */
export const RUN = pruneName(NOW, 'arn');

/** Name of the backup of a day of January 2026. */
export const nameOf = (day: number, plan = 'daily'): string =>
  backupName(plan, new Date(Date.UTC(2026, 0, day)));

const POLICY: PrunePolicy = {
  retention: { keepLast: 2 },
  replicaRetention: { keepLast: 2 },
  timeZone: 'UTC',
  share: 100,
  orphanGraceDays: 7,
  plans: ['daily', 'hourly'],
  retired: new Map(),
};

/** Where a snapshot is, and when its object was written. */
interface Stored extends SnapshotText {
  readonly namespace?: string;
  readonly where?: readonly CopyName[];
  readonly modified?: Date;
}

/** Both copies of the vault of the cluster paris with repositories that can be read, and one prune run of the plan daily. */
export class PrunedVault {
  readonly copies = { primary: new MemoryVault('primary'), replica: new MemoryVault('replica') };
  private readonly signer = keyPair();
  private readonly repositories = new Map<string, { place: MemoryVault; writer: ResticWriter }>();

  private repository(namespace: string) {
    const key = keys.restic.repository(namespace);
    const place = new MemoryVault('made');
    const made = this.repositories.get(key) ?? {
      place,
      writer: ResticWriter.create(place, key, passwordOf(key)),
    };
    this.repositories.set(key, made);
    return made;
  }

  /** Writes a snapshot into a repository of some copies, the same in each, and returns its id. Default: long ago, in the primary. */
  putSnapshot(backup: string, stored: Stored = {}): string {
    const { namespace = 'shop', where = ['primary'], modified = LONG_AGO, ...over } = stored;
    const { place, writer } = this.repository(namespace);
    const id = writer.snapshot({
      time: LONG_AGO.toISOString(),
      tags: [`backup=${backup}`, 'plan=daily'],
      ...over,
    });
    const isNew = (key: string) => key.endsWith(id) || !key.includes('/snapshots/');
    for (const copy of where)
      for (const [key, object] of place.objects)
        if (isNew(key)) this.copies[copy].objects.set(key, { ...object, modified });
    return id;
  }

  /** A proven recovery point with one snapshot, in some copies. */
  async putPoint(
    backup: string,
    snapshot: string,
    over: Partial<BackupRecord> = {},
    where: readonly CopyName[] = COPIES,
  ): Promise<void> {
    const record = recordOf(backup, {
      plan: backup.replace(/-\d+$/, ''),
      startedAt: '2026-01-31T00:00:00Z',
      volumes: [{ ...DATA, snapshot }],
      ...over,
    });
    for (const copy of where) {
      await putSignedRecord(this.copies[copy], keys.records.record(backup), record, this.signer);
      await this.copies[copy].put(keys.records.replica(backup), encode({}));
    }
  }

  /** A record without a signature, and the work list of its backup with the volume shop/data. */
  async putUnsigned(copy: CopyName, backup: string, over: Partial<BackupRecord>): Promise<void> {
    const volumes = [{ id: 'shop.data', namespace: 'shop', pvc: 'data', strategy: 'mount' as const }];
    await this.copies[copy].put(keys.records.record(backup), encode(recordOf(backup, over)));
    await this.copies[copy].put(keys.records.work(backup), encode(workOf({ backup, volumes })));
  }

  /** Runs the prune, or a dry run. */
  prune(
    policy: Partial<PrunePolicy> = {},
    over: Partial<PruneVault> = {},
    dryRun = false,
  ): Promise<PruneRef> {
    const input = { plan: 'daily', ...(dryRun && { dryRun }) };
    const run = { input, prune: RUN, execution: 'arn', now: NOW, isGone: async () => true };
    return pruneBackups({ ...pruneVault(this.copies, this.signer), ...over }, run, { ...POLICY, ...policy });
  }

  /** A document of the primary; null if it does not exist. */
  document(key: string) {
    return JSON.parse(this.copies.primary.objects.get(key)?.body.toString() ?? 'null');
  }

  plan(): PrunePlan {
    return PrunePlan.parse(this.document(keys.records.prune.plan(RUN)));
  }

  /** The snapshots of a repository that the run removes from a copy. */
  forgotten(copy: CopyName, namespace = 'shop'): string[] {
    const planned = this.copies.primary.objects.has(keys.records.prune.plan(RUN));
    return planned ? snapshotsOf(this.plan()[copy].forget, namespace) : [];
  }
}
