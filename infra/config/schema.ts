import * as z from 'zod';
import { Cluster } from './cluster.ts';
import { verificationProblem } from './old-versions.ts';
import { repeated, uniqueNames } from './values.ts';
import { Alarms, Vault } from './vault.ts';

const Options = z.strictObject({
  vault: Vault,
  clusters: z
    .array(Cluster)
    .min(1, 'is empty; add a cluster')
    .refine((clusters) => repeated(clusters).length === 0, uniqueNames('cluster')),
  alarms: Alarms.prefault({}).describe('Notification of alarms'),
});

/** The policy of a replica in another account names the roles of the clusters, and S3 takes 20 KB. */
const MOST_CLUSTERS_OF_A_REPLICA = 10;

/** holdfast.yaml. Unknown keys are errors, because most are misspelt. */
export const Config = Options.superRefine(({ vault, clusters }, context) => {
  if (vault.replicaAccount && clusters.length > MOST_CLUSTERS_OF_A_REPLICA)
    context.addIssue({
      code: 'custom',
      path: ['vault', 'replicaAccount'],
      message: `is for at most ${MOST_CLUSTERS_OF_A_REPLICA} clusters, because the policy of its bucket names their roles; move clusters to a file with another vault.name`,
    });
  clusters.forEach(({ verification }, i) => {
    const message = verificationProblem(verification, vault);
    if (message) context.addIssue({ code: 'custom', path: ['clusters', i], message });
  });
});
export type Config = z.infer<typeof Options>;
export type ClusterConfig = Config['clusters'][number];
