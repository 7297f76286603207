import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RbacOptions, rbacManifests } from '../../functions/core/kubernetes/rbac.ts';
import { portOf } from '../../functions/core/kubernetes/system-namespace.ts';
import type { OnProgress } from '../base/progress.ts';
import { deploy } from '../deploy.ts';
import type { World } from '../world.ts';
import type { Aws } from './aws.ts';
import { demo, type WorldPlan, worldConfig } from './config.ts';
import type { Kubectl } from './kubectl.ts';

export interface SetupOptions extends WorldPlan {
  readonly namespaces: readonly string[];
}

/** What a person does once before the first deploy: the roles in the cluster and the two kubeconfig secrets in AWS. */
export async function grantAccess(
  world: World,
  kubectl: Kubectl,
  aws: Aws,
  allowed: RbacOptions = { hooks: true },
): Promise<void> {
  await kubectl(
    ['apply', '-f', '-'],
    JSON.stringify(rbacManifests({ ports: [portOf(world.endpoint)], ...allowed })),
  );
  await aws.putSecret(demo.backupSecret, readFileSync(world.kubeconfigs.backup, 'utf8'));
  await aws.putSecret(demo.restoreSecret, readFileSync(world.kubeconfigs.restore, 'utf8'));
}

/** Writes the world's holdfast.yaml and deploys it with the real `cdk bootstrap` and `cdk deploy`. */
export async function deployWorld(
  world: World,
  options: SetupOptions,
  onProgress: OnProgress,
): Promise<string> {
  const dir = join(world.runDir, 'deploy');
  mkdirSync(dir, { recursive: true });
  const configFile = join(dir, 'holdfast.yaml');
  writeFileSync(configFile, worldConfig(options.namespaces, world.endpoint, options));
  await deploy(world, { configFile, outDir: join(dir, 'cdk.out'), onProgress });
  return configFile;
}
