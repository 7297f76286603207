import { Argument, Command } from 'commander';
import type { CopyName } from '../functions/contract/copies.ts';
import { CONTROL_PLANE } from '../functions/core/backup/control-plane.ts';
import { type RbacOptions, rbacManifests } from '../functions/core/kubernetes/rbac.ts';
import { ConfigInvalid } from '../infra/config/load.ts';
import manifest from '../package.json' with { type: 'json' };
import { backupLines } from './backups.ts';
import { configuredCluster, openCluster } from './cluster.ts';
import { restoreControlPlane } from './control-plane.ts';
import { progressLines } from './progress.ts';
import { resticArgs, runRestic } from './restic.ts';
import { vaultCommands } from './vault.ts';
import { copyOption, percent, planIn, sourceIn } from './words.ts';
import { inWorld } from './world.ts';

const program = new Command('holdfast')
  .description('Backups and restores of the clusters in holdfast.yaml')
  .version(manifest.version)
  .option('--config <file>', 'holdfast.yaml to read; HOLDFAST_CONFIG or that of the checkout by default')
  .option('--cluster <name>', 'cluster of holdfast.yaml; the first one by default')
  .option('--world <name>', 'work on an embedded world that is up')
  .enablePositionalOptions();

interface Common {
  config?: string;
  cluster?: string;
  world?: string;
}
const cluster = (over: Common = {}) => openCluster({ ...program.opts<Common>(), ...over });
/** The same cluster as holdfast.yaml has it: AWS is asked for nothing. */
const configured = () => configuredCluster(program.opts<Common>()).cluster;

program
  .command('rbac')
  .description('print the roles that a cluster needs, for kubectl apply -f -')
  .option('--hooks', 'let backups run the hooks of pods: commands in containers, as kubectl exec')
  .option('--snapshots', 'let backups make and remove CSI snapshots, and claims of them')
  .option('--commands <namespaces...>', 'an account for pods with holdfast.io/backup-command in these')
  .action((options: RbacOptions) => console.log(JSON.stringify(rbacManifests(options), null, 2)));

program
  .command('get')
  .description('list backups')
  .addArgument(new Argument('<what>').choices(['backups']))
  .action(async () => {
    for (const line of backupLines(await (await cluster()).backups(), new Date())) console.log(line);
  });

program
  .command('describe')
  .description('print the record of one backup')
  .argument('<backup>')
  .action(async (name: string) => console.log(JSON.stringify(await (await cluster()).record(name), null, 2)));

program
  .command('status')
  .description('show how far the volumes of a backup are')
  .argument('<backup>')
  .action(async (name: string) => {
    const progress = await (await cluster()).progress(name);
    if (progress) for (const line of progressLines(progress)) console.log(line);
    else console.log(`${name}: no volume has begun`);
  });

program
  .command('backup')
  .description('start a backup of a plan now')
  .argument('<plan>')
  .option('--tag <names...>', 'what retention may keep it by')
  .action(async (plan: string, { tag: tags }: { tag?: string[] }) => {
    const input = { plan: planIn(configured(), plan), ...(tags && { tags }) };
    console.log(await (await cluster()).start('backup', input));
  });

program
  .command('prune')
  .description('remove what the retention of a plan no longer keeps')
  .argument('<plan>')
  .option('--dry-run', 'only write the report')
  .option('--allow-share <percent>', 'remove up to so many percent of the recovery points', percent)
  .action(async (plan: string, options: { dryRun?: boolean; allowShare?: number }) => {
    const input = { plan: planIn(configured(), plan), ...options };
    console.log(await (await cluster()).start('prune', input));
  });

program
  .command('verify')
  .description('read both copies of the vault again now, and heal what is damaged')
  .option('--all', 'all packs, not one part of them')
  .action(async ({ all }: { all?: boolean }) =>
    console.log(await (await cluster()).start('verify', all ? { parts: 1 } : {})),
  );

program
  .command('restore')
  .description('start a restore')
  .argument('<backup>', 'name of a recovery point, or latest')
  .option('--from <source>', 'primary, replica, or a Velero source', 'primary')
  .option('--namespaces <names>', 'only these, separated by commas')
  .option('--files <volume>', 'no objects, only files of namespace/claim, into the claim of that name')
  .option('--include <path...>', 'with --files: files and folders below its mount, like /base/1')
  .option('--to <folder>', 'with --files: folder of the volume; / puts them in their old place')
  .option('--dry-run', 'only write the plan')
  .action(async (backup: string, options: RestoreFlags) => {
    const { from, namespaces, dryRun, files: volume, include = [], to } = options;
    const input = {
      backup,
      from: sourceIn(configured(), from),
      ...(namespaces && { namespaces: namespaces.split(',') }),
      ...(volume && { files: { volume, include, ...(to && { to }) } }),
      ...(dryRun && { dryRun }),
    };
    console.log(await (await cluster()).start('restore', input));
  });

interface RestoreFlags {
  from: string;
  namespaces?: string;
  files?: string;
  include?: string[];
  to?: string;
  dryRun?: boolean;
}

program
  .command('control-plane')
  .description('etcd and the files of control-plane nodes')
  .command('restore')
  .description('make etcd’s data directory and the nodes’ files in a folder, without a cluster')
  .requiredOption('--to <folder>', 'an empty folder')
  .option('--backup <name>', 'name of a recovery point, or latest', 'latest')
  .addOption(copyOption('the copy that is read'))
  .option('--node <name>', 'the node whose member of etcd this is to be')
  .argument('[etcdutl...]', 'after --: more options of etcdutl snapshot restore')
  .action(
    async (
      etcdutlArgs: string[],
      { to, backup, from, node }: { to: string; backup: string; from: CopyName; node?: string },
    ) => {
      const at = await cluster();
      const record = await at.withControlPlane(backup);
      const environment = await at.resticEnvironment(CONTROL_PLANE, from);
      console.log(`restoring the control plane of ${record.backup}`);
      for (const line of restoreControlPlane(record, to, environment, { ...(node && { node }), etcdutlArgs }))
        console.log(line);
    },
  );

program
  .command('restic')
  .description('run plain restic on the repository of a namespace, or of _control-plane')
  .argument('<repository>', '[cluster/]namespace')
  .argument('[command...]', 'after --: any restic command')
  .addOption(copyOption('the copy that is read'))
  .option('--print-env', 'print the environment that restic needs')
  .passThroughOptions()
  .action(
    async (
      repository: string,
      command: string[],
      { printEnv, from }: { printEnv?: boolean; from: CopyName },
    ) => {
      const args = resticArgs(command);
      const [namespace, of] = repository.split('/').reverse() as [string, string?];
      const environment = await (await cluster(of ? { cluster: of } : {})).resticEnvironment(namespace, from);
      if (printEnv)
        for (const [name, value] of Object.entries(environment)) console.log(`export ${name}='${value}'`);
      else process.exitCode = runRestic(args, environment);
    },
  );

vaultCommands(program, () => program.opts<Common>());

program.hook('preAction', () => {
  const { world } = program.opts<Common>();
  if (world) process.exit(inWorld(world));
});

await program.parseAsync().catch((error: unknown) => {
  const { name, message } = error as Error;
  console.error(error instanceof ConfigInvalid ? message : `${name}: ${message}`);
  process.exitCode = 1;
});
