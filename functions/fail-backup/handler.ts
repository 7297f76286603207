import { removeJobs } from '../adapters/kubernetes/jobs.ts';
import { removeSnapshots } from '../adapters/kubernetes/snapshots.ts';
import { createJson, findJson } from '../adapters/s3/documents.ts';
import { FailBackupRequest } from '../contract/states.ts';
import { controlPlaneRun } from '../core/control-plane.ts';
import { messageOf } from '../core/errors.ts';
import { type BackupRecord, Work } from '../core/record.ts';
import { fromSnapshot } from '../core/volume-snapshots.ts';
import { connectCluster, keys, primaryVault } from '../runtime/connect.ts';
import { handler as lambda, logger } from '../runtime/handler.ts';
import { hookRunner } from '../runtime/hooks.ts';
import { releaseLease } from '../runtime/leases.ts';
import { settings } from '../runtime/settings.ts';

/** After a failure: takes our Jobs out of the cluster, records why, and frees the plan for the next backup. */
export const handler = lambda(
  'fail-backup',
  FailBackupRequest,
  async ({ plan, backup, error, cause }, { now }) => {
    const vault = primaryVault();
    const k = keys();
    const work = await findJson(vault, Work, k.records.work(backup));
    try {
      const cluster = await connectCluster('backup', now);
      if (work?.hooks) await hookRunner(cluster, vault, k, backup).undo(work.hooks);
      for (const run of [backup, controlPlaneRun(backup)]) await removeJobs(cluster, run);
      if (work?.volumes.some(fromSnapshot)) await removeSnapshots(cluster, backup);
      await cluster.close();
    } catch (thrown) {
      // The cluster may be what failed. Jobs left behind end by their deadline and are collected by their TTL.
      logger.warn(`Jobs of ${backup} could not be removed: ${messageOf(thrown)}`);
    }
    const record: BackupRecord = {
      version: 1,
      cluster: settings().cluster,
      plan,
      backup,
      phase: 'Failed',
      reasons: [`${error}: ${cause}`],
      startedAt: work?.startedAt ?? now.toISOString(),
      completedAt: now.toISOString(),
      ...(work?.tags && { tags: work.tags }),
      namespaces: work?.namespaces ?? [],
      volumes: [],
      excluded: work?.excluded ?? [],
      unprotected: work?.unprotected ?? [],
      objects: [],
    };
    await createJson(vault, k.records.record(backup), record);
    await releaseLease(vault, k.leases.backup(plan), backup);
    return { plan, backup, phase: 'Failed', error };
  },
);
