import { RestoreName } from '../../contract/states.ts';
import { clusterKeys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambdaHandler } from '../../runtime/handler.ts';
import { sourceOf } from '../source.ts';
import { verifyRestore } from './verify.ts';

/** Waits for workloads, checks restored objects for drift, writes the report and releases the lease. */
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
