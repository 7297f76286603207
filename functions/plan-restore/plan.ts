import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { parseArchived, readArchive } from '../adapters/archive/reader.ts';
import type { RestoreOptions } from '../contract/restore-options.ts';
import type { ArchivedName } from '../core/archive.ts';
import { holdReason } from '../core/dangerous.ts';
import { HoldfastError } from '../core/errors.ts';
import type { BackupRecord } from '../core/record.ts';
import type { KubeObject } from '../core/resources.ts';
import { type Scope, scopeOf } from '../core/restore-options.ts';
import { compareItems, type PlanItem, planItem } from '../core/restore-plan.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';

/** Only what a decision looks at is kept of an object; bodies are read again when they are applied. */
const outline = ({ kind, metadata, status, type, spec, subsets }: KubeObject): KubeObject => ({
  ...(kind && { kind }),
  metadata: {
    name: metadata.name,
    annotations: metadata.annotations ?? {},
    labels: metadata.labels ?? {},
    ownerReferences: metadata.ownerReferences ?? [],
  },
  ...(status && { status: { phase: status.phase, conditions: status.conditions } }),
  ...(type !== undefined && { type }),
  ...(kind === 'Endpoints' && { subsets }),
  ...(spec?.service !== undefined && { spec: { service: spec.service } }),
});

/** Verifies every object of the recovery point against its record and plans each archived object, in order of work. */
export async function planItems(
  vault: Vault,
  k: VaultKeys,
  record: BackupRecord,
  namespaces: readonly string[],
  options: RestoreOptions,
): Promise<{ items: PlanItem[]; archiveSha256: string }> {
  const archive = k.velero.archive(record.backup);
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
    record.resources?.sha256,
    scopeOf(options, namespaces),
    options,
  );
}

/** Reads an archive to its end and plans each object that is in scope. */
export async function planArchive(
  archive: Readable,
  sha256: string | undefined,
  inScope: Scope,
  options: RestoreOptions,
): Promise<{ items: PlanItem[]; archiveSha256: string }> {
  const seen: { at: ArchivedName; object: KubeObject; held: string | undefined }[] = [];
  const uids = new Set<string>();
  const archiveSha256 = await readArchive(archive, sha256, (entry) => {
    const object = parseArchived<KubeObject>(entry, JSON.parse);
    if (object.metadata.uid) uids.add(object.metadata.uid);
    if (!inScope(entry.at, object)) return;
    seen.push({ at: entry.at, object: outline(object), held: holdReason(entry.at, object, options) });
  });
  const items = seen
    .map(({ at, object, held }) => planItem(at, object, (uid) => uids.has(uid), held))
    .sort(compareItems);
  return { items, archiveSha256 };
}
