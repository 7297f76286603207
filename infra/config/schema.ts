import * as z from 'zod';
import { Cluster } from './cluster.ts';
import { repeated, uniqueNames } from './values.ts';
import { Alarms, Vault } from './vault.ts';

/** holdfast.yaml. Unknown keys are errors, because most are misspelt. */
export const Config = z.strictObject({
  vault: Vault,
  clusters: z
    .array(Cluster)
    .min(1, 'is empty; add a cluster')
    .refine((clusters) => repeated(clusters).length === 0, uniqueNames('cluster')),
  alarms: Alarms.prefault({}).describe('Notification of alarms'),
});
export type Config = z.infer<typeof Config>;
export type ClusterConfig = Config['clusters'][number];
