import { createHash } from 'node:crypto';
import { readArchive } from '../adapters/archive/reader.ts';
import type { Vault } from '../adapters/s3/vault.ts';
import type { ArchivedName } from '../core/archive.ts';
import { HoldfastError } from '../core/errors.ts';
import type { BackupRecord, ResourceResult } from '../core/record.ts';
import type { KubeObject } from '../core/resources.ts';
import { compareItems, inScope, type PlanItem, planItem } from '../core/restore-plan.ts';
import type { VaultKeys } from '../core/vault-keys.ts';

/** Only what a decision looks at is kept of an object; bodies are read again when they are applied. */
const outline = ({ kind, metadata, status, type }: KubeObject): KubeObject => ({
  ...(kind && { kind }),
  metadata: {
    name: metadata.name,
    annotations: metadata.annotations ?? {},
    ownerReferences: metadata.ownerReferences ?? [],
  },
  ...(status && { status: { phase: status.phase, conditions: status.conditions } }),
  ...(type !== undefined && { type }),
});

/** Verifies every object of the recovery point against its record and plans each archived object, in order of work. */
export async function planItems(
  vault: Vault,
  k: VaultKeys,
  record: BackupRecord,
  namespaces: readonly string[],
): Promise<PlanItem[]> {
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
  const seen: { at: ArchivedName; object: KubeObject }[] = [];
  const uids = new Set<string>();
  await readArchive(
    await vault.stream(archive),
    (record.resources as ResourceResult).sha256,
    ({ at, object }) => {
      if (object.metadata.uid) uids.add(object.metadata.uid);
      if (inScope(at, namespaces)) seen.push({ at, object: outline(object) });
    },
  );
  return seen.map(({ at, object }) => planItem(at, object, (uid) => uids.has(uid))).sort(compareItems);
}
