import { App, type Stack } from 'aws-cdk-lib';
import { COPIES } from '../functions/contract/copies.ts';
import { esbuildBundler } from './bundle.ts';
import { ConfigInvalid, loadConfig } from './config/load.ts';
import { ClusterStack } from './stacks/cluster-stack.ts';
import {
  AccessLogStack,
  VaultReplicaStack,
  VaultReplicationStack,
  VaultStack,
} from './stacks/vault-stack.ts';

const app = new App();

try {
  const config = loadConfig(app.node.tryGetContext('config') as string | undefined);
  const vaults = [new VaultStack(app, config), new VaultReplicaStack(app, config)] as const;
  const { mode } = config.vault.accessLog;
  for (const [i, copy] of mode === 'off' ? [] : COPIES.entries()) {
    const log = new AccessLogStack(app, config, copy);
    if (mode === 's3') (vaults[i] as Stack).addStackDependency(log); // S3 delivers logs to a bucket that is there
  }
  if (config.vault.replication.mode === 'continuous') {
    const [primary, replica] = vaults;
    primary.addStackDependency(replica); // S3 takes no rule whose destination is not there
    new VaultReplicationStack(app, config);
  }
  const bundle = esbuildBundler();
  for (const cluster of config.clusters) {
    const stack = new ClusterStack(app, { config, cluster, bundle });
    for (const vault of vaults) stack.addStackDependency(vault);
  }
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigInvalid)) throw error;
  console.error(`\n${error.message}\n`); // for a person: a stack trace would hide it
  process.exit(1);
}
