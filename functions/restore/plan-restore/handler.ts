import { PlanRestoreRequest, type RestoreRef } from '../../contract/states.ts';
import { clusterKeys, primaryVault, recordKey, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { sourceOf } from '../source.ts';
import { planRestore } from './plan-restore.ts';

/** Finds the recovery point, verifies it completely and writes the plan of the restore. Only reads from the cluster. */
export const handler = lambdaHandler(
  'plan-restore',
  PlanRestoreRequest,
  (request, { now }): Promise<RestoreRef> =>
    planRestore(
      {
        vault: primaryVault(),
        keys: clusterKeys(),
        verifier: recordKey(),
        now,
        sourceOf,
        isGone: holderIsGone,
        withCluster: (work) => withCluster('restore', now, work),
      },
      request,
    ),
);
