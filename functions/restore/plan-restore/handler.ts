import { PlanRestoreRequest, type RestoreRef } from '../../contract/states.ts';
import { keys, primaryVault, recordKey } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { holderIsGone } from '../../runtime/leases.ts';
import { sourceOf } from '../source.ts';
import { planRestore } from './plan-restore.ts';

/** Finds the recovery point, verifies all of it, and writes what the restore would do, before anything is done. */
export const handler = lambda(
  'plan-restore',
  PlanRestoreRequest,
  (request, { now }): Promise<RestoreRef> =>
    planRestore(
      {
        vault: primaryVault(),
        keys: keys(),
        verifier: recordKey(),
        now,
        sourceOf,
        isGone: holderIsGone,
      },
      request,
    ),
);
