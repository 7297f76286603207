import { RestoreName } from '../../contract/states.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { sourceOf } from '../source.ts';
import { verifyRestore } from './verify.ts';

/** Compares what was restored with what was asked for; waits for workloads; writes the report and frees the cluster. */
export const handler = lambdaHandler('verify-restore', RestoreName, (name, { now }) =>
  verifyRestore(
    {
      vault: primaryVault(),
      keys: clusterKeys(),
      now,
      sourceOf,
      withCluster: (work) => withCluster('restore', now, work),
    },
    name,
  ),
);
