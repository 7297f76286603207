import { putJson, takeLease } from '../adapters/s3/documents.ts';
import { PlanRestoreRequest, type RestoreRef } from '../contract/states.ts';
import { restoreName } from '../core/backup-name.ts';
import { HoldfastError } from '../core/errors.ts';
import { restoredNamespaces } from '../core/restore-options.ts';
import { keys, primaryVault, replicaVault } from '../runtime/connect.ts';
import { handler as lambda } from '../runtime/handler.ts';
import { findRecoveryPoint } from './find.ts';
import { planItems } from './plan.ts';

/** As long as a restore may take before a backup or another restore may start. */
const LEASE_SECONDS = 6 * 3600;

/** Finds the recovery point, verifies all of it, and writes what the restore would do, before anything is done. */
export const handler = lambda(
  'plan-restore',
  PlanRestoreRequest,
  async ({ input, startedAt, execution }, { now }): Promise<RestoreRef> => {
    const k = keys();
    const from = input.from ?? 'primary';
    const source = from === 'primary' ? primaryVault() : replicaVault();
    const record = await findRecoveryPoint(source, k, input.backup, input.plan);
    const restore = restoreName(new Date(startedAt), execution);
    const { namespaces, unknown } = restoredNamespaces(input.namespaces, record.namespaces);
    if (unknown.length > 0) {
      throw new HoldfastError(
        'RestoreRefused',
        `${record.backup} does not hold namespace ${unknown.join(', ')}`,
        { hint: `It holds: ${record.namespaces.join(', ')}` },
      );
    }
    const {
      backup: _,
      plan: __,
      namespaces: ___,
      from: ____,
      volumes: _____,
      dryRun: ______,
      ...options
    } = input;
    const { items, archiveSha256 } = await planItems(source, k, record, namespaces, options);
    const volumes =
      (input.volumes ?? true)
        ? record.volumes.filter((v) => v.snapshot && namespaces.includes(v.namespace))
        : [];
    const dryRun = input.dryRun ?? false;
    const vault = primaryVault();
    if (!dryRun) {
      const other = await takeLease(vault, k.leases.restore, restore, now, LEASE_SECONDS);
      if (other)
        throw new HoldfastError('RestoreInProgress', `${other} is at work in this cluster`, {
          hint: 'Wait for it, or stop its execution',
        });
    }
    const plan = {
      restore,
      backup: record.backup,
      from,
      startedAt: now.toISOString(),
      namespaces,
      options,
      archiveSha256,
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
      backup: record.backup,
      plan: record.plan,
      from,
      dryRun,
      items: count,
      volumes: volumes.length,
    };
  },
);
