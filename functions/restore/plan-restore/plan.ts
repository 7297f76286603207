import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  type ArchivedObject,
  type ArchiveSize,
  capsFor,
  parseArchived,
  readArchive,
} from '../../adapters/archive/reader.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { BackupRecord } from '../../core/backup/record.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import { holdReason } from '../../core/restore/dangerous.ts';
import { type Scope, scopeOf } from '../../core/restore/restore-options.ts';
import {
  compareItems,
  draftItem,
  type ItemDraft,
  type PlanItem,
  planItem,
} from '../../core/restore/restore-plan.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';

/** The copy that holds the recovery point. */
interface PlanItemsContext {
  readonly vault: Vault;
  readonly keys: VaultKeys;
}

/** What is to be restored. */
interface PlanChoices {
  readonly namespaces: readonly string[];
  readonly options: RestoreOptions;
  /** Whether the record is signed: its sizes then bound the archive. */
  readonly signed?: boolean;
}

/**
 * Verifies every object of the recovery point against its record and plans each archived object, in the order of the
 * restore.
 *
 * @throws HoldfastError RecoveryPointDamaged when an object does not have the sha256 of the record.
 */
export async function planItems(
  { vault, keys }: PlanItemsContext,
  record: BackupRecord,
  { namespaces, options, signed = false }: PlanChoices,
): Promise<{ items: PlanItem[]; archiveSha256: string }> {
  const archive = keys.velero.archive(record.backup);
  for (const { key, sha256 } of record.objects.filter((o) => o.key !== archive)) {
    const actual = createHash('sha256')
      .update(await vault.get(key))
      .digest('hex');
    if (actual !== sha256)
      throw new HoldfastError(
        'RecoveryPointDamaged',
        `${key} has sha256 ${actual}, its record says ${sha256}`,
        { hint: 'Restore from the other copy' },
      );
  }
  return planArchive(
    await vault.stream(archive),
    record.resources && { ...(signed && record.resources), sha256: record.resources.sha256 },
    scopeOf(options, namespaces),
    options,
  );
}

/** What a record says of an archive. `items` and `bytes` only if the record is signed. */
interface KnownArchive extends ArchiveSize {
  readonly sha256: string;
}

/**
 * Reads an archive to its end and plans each object that is in scope. Only a draft of each object is kept in memory.
 */
export async function planArchive(
  archive: Readable,
  known: KnownArchive | undefined,
  inScope: Scope,
  options: RestoreOptions,
): Promise<{ items: PlanItem[]; archiveSha256: string }> {
  const drafts: ItemDraft[] = [];
  const uids = new Set<string>();
  const visit = (entry: ArchivedObject) => {
    const object = parseArchived<KubeObject>(entry, JSON.parse);
    if (object.metadata.uid) uids.add(object.metadata.uid);
    if (inScope(entry.at, object))
      drafts.push(draftItem(entry.at, object, entry.raw.length, holdReason(entry.at, object, options)));
  };
  const archiveSha256 = await readArchive(archive, known?.sha256, visit, capsFor(known));
  const items = drafts.map((draft) => planItem(draft, (uid) => uids.has(uid))).sort(compareItems);
  return { items, archiveSha256 };
}
