import { ApplyRequest, type ApplyState } from '../../contract/states.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { sourceOf } from '../source.ts';
import { applyStage } from './stage.ts';

/** Left of the function's time to write down what is done. */
const RESERVE_MS = 30_000;

/** Brings the objects of one stage into the cluster in order; called again while its time was too short for all. */
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
