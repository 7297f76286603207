import { PlanRestoreRequest, type RestoreRef } from '../../contract/states.ts';
import { clusterKeys, primaryVault, recordKey } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { sourceOf } from '../source.ts';
import { planRestore } from './plan-restore.ts';

/** Finds the recovery point, verifies all of it, and writes what the restore would do, before anything is done. */
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
      },
      request,
    ),
);
