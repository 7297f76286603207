import { putJson } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import { optionsOf, type RestoreFiles } from '../../contract/restore-options.ts';
import { PlanRestoreRequest, type RestoreRef } from '../../contract/states.ts';
import { restoreName } from '../../core/backup/backup-name.ts';
import { shortName } from '../../core/restic/source.ts';
import { restoredNamespaces, scopeOf } from '../../core/restore/restore-options.ts';
import { holderText } from '../../core/vault/lease.ts';
import type { VeleroKeys } from '../../core/vault/vault-keys.ts';
import type { VolumeOutcome } from '../../core/volumes/work.ts';
import { keys, primaryVault, recordKey } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { leasesOf, takeLease } from '../../runtime/leases.ts';
import { logRun } from '../../runtime/logging.ts';
import { sourceOf } from '../source.ts';
import { findRecoveryPoint } from './find.ts';
import { findVeleroBackup } from './find-velero.ts';
import { planArchive, planItems } from './plan.ts';

/** Finds the recovery point, verifies all of it, and writes what the restore would do, before anything is done. */
export const handler = lambda(
  'plan-restore',
  PlanRestoreRequest,
  async ({ input, startedAt, execution }, { now }): Promise<RestoreRef> => {
    const restore = restoreName(new Date(startedAt), execution);
    logRun({ restore });
    const k = keys();
    const from = input.from ?? 'primary';
    const source = sourceOf(from);
    const found = source.velero
      ? undefined
      : await findRecoveryPoint(source.vault, k, input.backup, input.plan, recordKey());
    if (found && !found.signed && !input.allowUnsigned)
      throw new HoldfastError('RecordUnsigned', `the record of ${found.record.backup} has no signature`, {
        hint: 'Releases before 0.2.0 wrote none. If that is how it came to be, add "allowUnsigned": true',
      });
    const record = found?.record;
    const point = record ?? (await findVeleroBackup(source.vault, source.velero as VeleroKeys, input.backup));
    logRun({ backup: point.backup });
    const { namespaces, unknown } = restoredNamespaces(input.namespaces, point.namespaces);
    if (unknown.length > 0) {
      throw new HoldfastError(
        'RestoreRefused',
        `${point.backup} does not hold namespace ${unknown.join(', ')}`,
        { hint: `It holds: ${point.namespaces.join(', ')}` },
      );
    }
    const options = optionsOf(input);
    const { items: all, archiveSha256 } = record
      ? await planItems(source.vault, k, record, namespaces, options)
      : await planArchive(
          await source.vault.stream(source.archive(point.backup)),
          undefined,
          scopeOf(options, namespaces),
          options,
        );
    const fillsVolumes = input.volumes ?? true;
    const saved = (record?.volumes ?? []).filter((v) => v.snapshot && v.pvc);
    const items = options.files ? [] : all;
    const volumes = options.files
      ? [volumeOf(saved, options.files, point.backup)]
      : saved.filter((v) => fillsVolumes && namespaces.includes(v.namespace));
    const dryRun = input.dryRun ?? false;
    const vault = primaryVault();
    if (!dryRun) {
      const other = await takeLease(leasesOf(vault, now), k.leases.restore, { work: restore, execution });
      if (other)
        throw new HoldfastError('RestoreInProgress', `${holderText(other)} is at work in this cluster`, {
          hint: 'Wait for it, or stop its execution',
        });
    }
    const plan = {
      restore,
      backup: point.backup,
      from,
      startedAt: now.toISOString(),
      namespaces,
      options,
      archiveSha256,
      fillsVolumes,
      dryRun,
      volumes,
    };
    await vault.put(
      k.restores.items(restore),
      Buffer.from(items.map((i) => `${JSON.stringify(i)}\n`).join('')),
    );
    await putJson(vault, k.restores.plan(restore), plan);
    const count = items.filter((i) => i.action === 'create').length;
    return {
      restore,
      backup: point.backup,
      plan: record?.plan ?? '',
      from,
      dryRun,
      items: count,
      volumes: volumes.length,
    };
  },
);

/** The volume whose files are wanted. */
function volumeOf(saved: readonly VolumeOutcome[], { volume }: RestoreFiles, backup: string): VolumeOutcome {
  const found = saved.find((v) => shortName(v) === volume);
  if (found) return found;
  const held = saved.map(shortName).join(', ');
  throw new HoldfastError('RestoreRefused', `${backup} holds no snapshot of volume ${volume}`, {
    hint: held ? `It holds: ${held}` : 'It holds none',
  });
}
