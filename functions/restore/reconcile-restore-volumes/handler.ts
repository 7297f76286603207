import { findOwn } from '../../adapters/kubernetes/own-objects.ts';
import { isCopyName } from '../../contract/copies.ts';
import { type LoopState, RestoreName } from '../../contract/states.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { VolumeOutcome } from '../../core/volumes/work.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { clusterKeys, copies, openCopy, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { holderOf } from '../../runtime/jobs/holder.ts';
import { madeObjects } from '../../runtime/jobs/made-objects.ts';
import { reconcileJobs } from '../../runtime/jobs/reconcile-jobs.ts';
import { jobsContext } from '../../runtime/jobs/restic-jobs.ts';
import { settings } from '../../runtime/settings.ts';
import { getApplied, getRestore } from '../documents.ts';
import {
  filesToRestore,
  type RestoreWork,
  restoredOutcome,
  restoreJob,
  volumesToFill,
} from './volume-job.ts';

/** Reconciles the restore's volume Jobs once: each fills a claim that this restore created, before workloads exist. */
export const handler = lambdaHandler(
  'reconcile-restore-volumes',
  RestoreName,
  async ({ restore }, { now }): Promise<LoopState> => {
    const vault = openCopy('primary');
    const keys = clusterKeys();
    const plan = await getRestore(vault, keys, restore);
    const from = copies()[isCopyName(plan.from) ? plan.from : 'primary']; // volumes of a Velero source are not restored
    const { files, namespaceMapping: mapping } = plan.options;
    const context = { repositoryOf: keys.restic.repository, mapping };
    const items = files
      ? filesToRestore(plan.volumes, files, restore, context)
      : volumesToFill(plan.volumes, await getApplied(vault, keys, restore, 1), context);
    const { state } = await withCluster('restore', now, (cluster) =>
      reconcileJobs(jobsContext(cluster, now), {
        run: restore,
        made: madeObjects({ cluster, vault, now }, keys.runs.dir(restore)),
        use: 'restore',
        buckets: [from.bucket],
        repositories: openCopy(from.name),
        items: async () => items,
        jobFor: async (v) => {
          if (!(await isItsClaim(cluster, v)))
            return { blocker: `the claim ${v.into}/${v.pvc} is not the one that this restore created` };
          const holder = v.only && (await holderOf(cluster, { namespace: v.into, pvc: v.pvc }));
          return restoreJob({ settings: settings().jobs, restore, from }, v, holder);
        },
        outcomeOf: restoredOutcome,
        results: {
          vault,
          dir: keys.restores.volumeDir(restore),
          keyOf: (id) => keys.restores.volume(restore, id),
          schema: VolumeOutcome,
          failed: (o) => o.result === 'failed',
        },
      }),
    );
    return state;
  },
);

/** Somebody may have deleted the claim and made another one of the same name, with data of their own. */
const isItsClaim = async (cluster: KubeClient, { into, pvc, uid }: RestoreWork): Promise<boolean> =>
  uid === undefined ||
  (await findOwn(cluster, TYPES.persistentVolumeClaims, { namespace: into, name: pvc, uid })) !== undefined;
