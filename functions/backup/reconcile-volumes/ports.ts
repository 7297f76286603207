import type { ExecRequest, ExecResult } from '../../adapters/kubernetes/exec.ts';
import { jobProgress } from '../../adapters/kubernetes/jobs.ts';
import { putJson } from '../../adapters/s3/documents.ts';
import type { Work } from '../../core/backup/record.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Vault } from '../../ports/vault.ts';
import { jobResults, type ResultDocuments } from '../../runtime/jobs/job-results.ts';
import { madeObjects } from '../../runtime/jobs/made-objects.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import type { JobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { withSnapshotInVault } from '../claimed-snapshot.ts';
import { hookRunner } from '../hooks.ts';
import { removeLeftovers } from '../leftovers.ts';
import { volumeSnapshots } from '../volume-snapshots.ts';
import { locationsIn } from './location.ts';
import type { VolumePorts } from './reconcile.ts';

/** What the volume ports are built from. */
export interface VolumePortsContext {
  readonly jobs: JobsContext;
  readonly vault: Vault;
  readonly keys: VaultKeys;
  /** Runs a command in a container. */
  exec(cluster: KubeClient, request: ExecRequest): Promise<ExecResult>;
}

/** The ports of one reconciliation pass over a backup's volumes. */
export function volumePorts({ jobs, vault, keys, exec }: VolumePortsContext, work: Work): VolumePorts {
  const { cluster, now } = jobs;
  const { backup, hooks: all = [] } = work;
  const documents: ResultDocuments<VolumeOutcome> = {
    vault,
    dir: keys.records.volumeDir(backup),
    keyOf: (id) => keys.records.volume(backup, id),
    schema: VolumeOutcome,
    failed: (o) => o.result === 'failed',
  };
  const made = madeObjects({ cluster, vault, now }, keys.runs.dir(backup));
  const hooks = hookRunner((request) => exec(cluster, request), vault, keys, backup);
  return {
    jobs: {
      reconcile: (of) =>
        reconcileJobs(jobs, {
          ...of,
          outcomeOf: async (v, end) => withSnapshotInVault(vault, v.repository, await of.outcomeOf(v, end)),
          run: backup,
          made,
          use: 'backup',
          buckets: [vault.bucket],
          repositories: vault,
          results: documents,
        }),
      progress: (job) => jobProgress(cluster, job),
    },
    hooks: {
      before: (volume) => hooks.before(all, volume),
      after: (ended) => hooks.after(all, ended),
    },
    locations: locationsIn(cluster),
    snapshots: volumeSnapshots({ cluster, made, backup, now, limits: jobs.jobs }),
    leftovers: { remove: () => removeLeftovers({ cluster, vault, now }, keys, work) },
    documents: {
      ...jobResults(documents),
      putProgress: async (progress) => void (await putJson(vault, keys.records.progress(backup), progress)),
    },
  };
}
