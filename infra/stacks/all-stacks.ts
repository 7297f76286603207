import type { App, Stack } from 'aws-cdk-lib';
import { COPIES } from '../../functions/contract/copies.ts';
import type { Bundler } from '../bundle.ts';
import type { Config } from '../config/schema.ts';
import { ClusterStack } from './cluster-stack.ts';
import { AccessLogStack, VaultReplicaStack, VaultReplicationStack, VaultStack } from './vault-stack.ts';

/** Every stack of a configuration. */
export function makeStacks(app: App, config: Config, bundle: Bundler): Stack[] {
  const primary = new VaultStack(app, config);
  const replica = new VaultReplicaStack(app, config);
  const more: Stack[] = accessLogs(app, config, [primary, replica]);
  if (config.vault.replication.mode === 'continuous') {
    primary.addStackDependency(replica); // S3 takes no rule whose destination is not there
    more.push(new VaultReplicationStack(app, config));
  }
  const clusters = config.clusters.map((cluster) => {
    const stack = new ClusterStack(app, { config, cluster, bundle });
    for (const vault of [primary, replica]) stack.addStackDependency(vault);
    return stack;
  });
  return [primary, replica, ...more, ...clusters];
}

/** The stacks of the access logs of both copies. */
function accessLogs(app: App, config: Config, vaults: readonly Stack[]): Stack[] {
  const { mode } = config.vault.accessLog;
  if (mode === 'off') return [];
  return COPIES.map((copy, i) => {
    const log = new AccessLogStack(app, config, copy);
    if (mode === 's3') vaults[i]?.addStackDependency(log); // S3 delivers logs to a bucket that is there
    return log;
  });
}
