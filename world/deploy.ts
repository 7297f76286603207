import { spawn } from 'node:child_process';
import { copyFileSync, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { stackNames } from '../functions/contract/names.ts';
import { recordingOf } from './base/environment.ts';
import { WorldError } from './base/errors.ts';
import { type OnProgress, step } from './base/progress.ts';
import { account, projectRoot } from './base/settings.ts';
import { bucketLocks } from './emulator/object-lock.ts';
import { applyBucketReplication } from './emulator/replication.ts';
import { lastLines } from './tools/command.ts';
import { processEnv, type World } from './world.ts';

/** What to deploy into a world. */
export interface DeployOptions {
  /** A holdfast.yaml. */
  readonly configFile: string;
  /** Receives the synthesized templates. */
  readonly outDir: string;
  readonly onProgress?: OnProgress;
}

/** Only the two regions; the app itself judges the rest. */
const regionsOfConfig = z.object({ vault: z.object({ region: z.string(), replicaRegion: z.string() }) });

/** All but the trails: the emulator knows no CloudTrail. A bucket of access logs comes with the vault that needs it. */
const STACKS = [stackNames.vault, stackNames.replica, stackNames.replication, stackNames.cluster('*')];

/** Deploys Holdfast into a world by the same commands as into AWS: cdk bootstrap, cdk deploy. */
export async function deploy(world: World, options: DeployOptions): Promise<void> {
  const { onProgress = () => {} } = options;
  const { vault } = regionsOfConfig.parse(parse(readFileSync(options.configFile, 'utf8')));
  const targets = [vault.region, vault.replicaRegion].map((region) => `aws://${account.id}/${region}`);
  // CDK makes its output folder but not the folders above it.
  mkdirSync(resolve(options.outDir), { recursive: true });
  const app = appArgs(options);
  await step('cdk bootstrap', onProgress, () => cdk(world, 'bootstrap', [...targets, ...app]));
  // Two stacks at a time: clusters do not wait for each other, and the emulator keeps up.
  const unattended = [...STACKS, '--require-approval', 'never', '--concurrency', '2', '--progress', 'events'];
  await step('cdk deploy', onProgress, () => cdk(world, 'deploy', [...unattended, ...app]));
  await applyBucketReplication(resolve(options.outDir), world.endpoint, vault.region);
  await lockBuckets(world, resolve(options.outDir));
  keepDeployment(world, options);
}

/** Keeps what was deployed beside the recorded calls: its templates are what the calls are judged by (test/iam). */
function keepDeployment(world: World, { configFile, outDir }: DeployOptions): void {
  const { deployments } = recordingOf(world.runDir);
  const number = existsSync(deployments) ? readdirSync(deployments).length : 0;
  const folder = join(deployments, String(number).padStart(4, '0'));
  mkdirSync(folder, { recursive: true });
  copyFileSync(configFile, join(folder, 'holdfast.yaml'));
  for (const file of readdirSync(outDir).filter((name) =>
    /^(holdfast-.*\.template|manifest)\.json$/.test(name),
  ))
    copyFileSync(join(outDir, file), join(folder, file));
}

/** What the emulator's CloudFormation passes over: see emulator/object-lock.ts. */
async function lockBuckets(world: World, outDir: string): Promise<void> {
  if (bucketLocks(outDir).length === 0) return;
  const log = join(world.runDir, 'log', 'object-lock.log');
  const script = join(projectRoot, 'world/emulator/object-lock.ts');
  const code = await runLogged([...world.enter, 'node', script, outDir], processEnv(world), log);
  if (code !== 0)
    throw new WorldError(
      'DeployFailed',
      'cannot enable Object Lock on the buckets',
      lastLines(readFileSync(log, 'utf8'), 12),
    );
}

/** Both verbs start the app: bootstrap, too, looks into it for the settings of its environments. */
function appArgs({ configFile, outDir }: DeployOptions): string[] {
  return ['--app', 'node infra/app.ts', '--output', resolve(outDir), '-c', `config=${resolve(configFile)}`];
}

/** Runs the CDK command line in the world; what it prints is kept in the world's log folder. */
async function cdk(world: World, verb: string, args: readonly string[]): Promise<void> {
  const log = join(world.runDir, 'log', `cdk-${verb}.log`);
  const home = join(world.runDir, 'home');
  mkdirSync(home, { recursive: true });
  // CDK remembers accounts and notices in its home; those of a world must end with it.
  const env = { ...processEnv(world), HOME: home, CDK_HOME: join(home, '.cdk'), CI: 'true' };
  const command = [...world.enter, join(projectRoot, 'node_modules/.bin/cdk'), verb, '--no-notices', ...args];
  const code = await runLogged(command, env, log);
  if (code === 0) return;
  const tail = lastLines(readFileSync(log, 'utf8'), 25);
  throw new WorldError(
    'DeployFailed',
    `cdk ${verb} failed with exit code ${code}; its output is in ${log}`,
    tail,
  );
}

async function runLogged(
  command: readonly string[],
  env: Record<string, string>,
  log: string,
): Promise<number> {
  const output = createWriteStream(log);
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd: projectRoot, env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const code = await new Promise<number>((ended, failed) => {
    child.on('error', failed);
    child.on('close', (exitCode) => ended(exitCode ?? 1));
  });
  output.end();
  await finished(output);
  return code;
}
