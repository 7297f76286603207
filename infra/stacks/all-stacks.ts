import type { App, Stack } from 'aws-cdk-lib';
import type { Bundler } from '../bundle.ts';
import type { Config } from '../config/schema.ts';
import { ClusterStack } from './cluster-stack.ts';
import { VaultReplicaStack, VaultReplicationStack, VaultStack } from './vault-stack.ts';

/** Every stack of a configuration, in the order in which they can be deployed. */
export function makeStacks(app: App, config: Config, bundle: Bundler): Stack[] {
  const primary = new VaultStack(app, config);
  const replica = new VaultReplicaStack(app, config);
  const vaults: Stack[] = [primary, replica];
  if (config.vault.replication.mode === 'continuous') {
    primary.addStackDependency(replica); // S3 takes no rule whose destination is not there
    vaults.push(new VaultReplicationStack(app, config));
  }
  const clusters = config.clusters.map((cluster) => {
    const stack = new ClusterStack(app, { config, cluster, bundle });
    for (const vault of [primary, replica]) stack.addStackDependency(vault);
    return stack;
  });
  return [...vaults, ...clusters];
}
