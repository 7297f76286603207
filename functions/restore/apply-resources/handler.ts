import { ApplyRequest, type ApplyState } from '../../contract/states.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { sourceOf } from '../source.ts';
import { applyStage } from './stage.ts';

/** Time reserved to write the results before Lambda ends the function. */
const RESERVE_MS = 30_000;

/** Creates the objects of one stage in order. It is called again while objects remain. */
export const handler = lambdaHandler(
  'apply-resources',
  ApplyRequest,
  (request, { now, remainingMs }): Promise<ApplyState> =>
    applyStage(
      {
        vault: primaryVault(),
        keys: clusterKeys(),
        sourceOf,
        withCluster: (work) => withCluster('restore', now, work),
        goOn: () => remainingMs() > RESERVE_MS,
      },
      request,
    ),
);
