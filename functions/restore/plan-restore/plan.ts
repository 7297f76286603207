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
import { type Contents, contentsReader } from '../../core/restore/contents.ts';
import { type Draft, draftOf } from '../../core/restore/drafts.ts';
import { type ClusterFacts, planDrafts } from '../../core/restore/plan-drafts.ts';
import { type Scope, scopeOf } from '../../core/restore/restore-options.ts';
import { compareItems, type PlanItem } from '../../core/restore/restore-plan.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import type { Vault } from '../../ports/vault.ts';

/** The copy that holds the recovery point. */
interface PlanItemsContext {
  readonly vault: Vault;
  readonly keys: VaultKeys;
}

/** What is to be restored. */
export interface PlanChoices {
  readonly namespaces: readonly string[];
  /** Whether the namespaces were asked for by name. */
  readonly isFiltered?: boolean;
  readonly options: RestoreOptions;
  /** Whether the record is signed: its sizes then bound the archive. */
  readonly signed?: boolean;
  /** The cluster that is restored into. */
  readonly cluster?: ClusterFacts;
}

/** The plan of an archive, in the order of the restore, and what the archive holds. */
export interface PlannedArchive {
  readonly items: PlanItem[];
  readonly archiveSha256: string;
  readonly contents: Contents;
  /** Label selectors that match nothing in the archive. */
  readonly unmatched: readonly string[];
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
  choices: PlanChoices,
): Promise<PlannedArchive> {
  const { signed = false } = choices;
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
  const known = record.resources && { ...(signed && record.resources), sha256: record.resources.sha256 };
  return planChosen(await vault.stream(archive), known, choices);
}

/** What a record says of an archive. `items` and `bytes` only if the record is signed. */
interface KnownArchive extends ArchiveSize {
  readonly sha256: string;
}

/**
 * Reads an archive to its end and plans each object that is in scope, and what it needs. Only a draft of each object is kept in
 * memory.
 *
 * @throws HoldfastError RecoveryPointDamaged when the archive or one of its entries cannot be read.
 */
export function planChosen(
  archive: Readable,
  known: KnownArchive | undefined,
  { namespaces, isFiltered, options, cluster }: PlanChoices,
): Promise<PlannedArchive> {
  return planned(archive, known, { scope: scopeOf(options, namespaces, isFiltered), options, cluster });
}

/** As `planChosen`, of a scope, for a new cluster. */
export const planArchive = (
  archive: Readable,
  known: KnownArchive | undefined,
  scope: Scope,
  options: RestoreOptions,
): Promise<PlannedArchive> => planned(archive, known, { scope, options, cluster: undefined });

interface Planning {
  readonly scope: Scope;
  readonly options: RestoreOptions;
  readonly cluster: ClusterFacts | undefined;
}

async function planned(
  archive: Readable,
  known: KnownArchive | undefined,
  { scope, options, cluster }: Planning,
): Promise<PlannedArchive> {
  const drafts: Draft[] = [];
  const { contents, read } = contentsReader();
  const visit = (entry: ArchivedObject) => {
    const object = parseArchived<unknown>(entry, JSON.parse);
    read(entry.at, object);
    drafts.push(draftOf({ at: entry.at, bytes: entry.raw.length }, object, scope, options));
  };
  const archiveSha256 = await readArchive(archive, known?.sha256, visit, capsFor(known));
  const items = planDrafts(drafts, scope, cluster).sort(compareItems);
  return { items, archiveSha256, contents, unmatched: scope.unmatched() };
}
