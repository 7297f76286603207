import { RestoreName } from '../../contract/states.ts';
import { keys, primaryVault, withCluster } from '../../runtime/connect.ts';
import { handler as lambda } from '../../runtime/handler.ts';
import { sourceOf } from '../source.ts';
import { verifyRestore } from './verify.ts';

/** Compares what was restored with what was asked for; waits for workloads; writes the report and frees the cluster. */
export const handler = lambda('verify-restore', RestoreName, (name, { now }) =>
  verifyRestore(
    {
      vault: primaryVault(),
      keys: keys(),
      now,
      sourceOf,
      withCluster: (work) => withCluster('restore', now, work),
    },
    name,
  ),
);
