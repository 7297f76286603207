import { Argument, Command } from 'commander';
import type { CopyName } from '../functions/contract/copies.ts';
import { CONTROL_PLANE } from '../functions/core/backup/control-plane.ts';
import { ConfigInvalid } from '../infra/config/load.ts';
import manifest from '../package.json' with { type: 'json' };
import { backupLines, unknownPlanLines } from './backups.ts';
import { configuredCluster, configuredClusterIfAny, openCluster } from './cluster.ts';
import { restoreControlPlane } from './control-plane.ts';
import { progressLines } from './progress.ts';
import { manifestsFor, type RbacFlags } from './rbac.ts';
import { resticArgs, runRestic } from './restic.ts';
import { vaultCommands } from './vault.ts';
import { checkFileOptions, copyOption, percent, planIn, sourceIn } from './words.ts';
import { inWorld } from './world.ts';

const program = new Command('holdfast')
  .description('Back up and restore the Kubernetes clusters in holdfast.yaml')
  .version(manifest.version)
  .option(
    '--config <file>',
    'configuration file (default: $HOLDFAST_CONFIG, or holdfast.yaml in the checkout)',
  )
  .option('--cluster <name>', 'cluster in holdfast.yaml (default: the first one)')
  .option('--world <name>', 'run the command in a local test environment that is running (default: none)')
  .enablePositionalOptions();

interface Common {
  config?: string;
  cluster?: string;
  world?: string;
}
const cluster = (over: Common = {}) => openCluster({ ...program.opts<Common>(), ...over });
/** The configuration of the same cluster. Sends no request to AWS. */
const configured = () => configuredCluster(program.opts<Common>()).cluster;

program
  .command('rbac')
  .description(
    'print the roles, the namespace and the network policy that a cluster needs, for kubectl apply -f -',
  )
  .option(
    '--hooks',
    'allow backups to run pod hooks, which are commands in containers like kubectl exec (default: not allowed)',
  )
  .option(
    '--snapshots',
    'allow backups to create and delete CSI snapshots and PVCs from them (default: not allowed)',
  )
  .option(
    '--commands <namespaces...>',
    'namespaces that get a service account for pods with holdfast.io/backup-command (default: none)',
  )
  .option(
    '--namespaces <namespaces...>',
    'the only namespaces in which backups may run Jobs (default: all namespaces)',
  )
  .action((flags: RbacFlags) => {
    const configured = configuredClusterIfAny(program.opts<Common>());
    console.log(JSON.stringify(manifestsFor(flags, configured), null, 2));
  });

program
  .command('get')
  .description('list backups')
  .addArgument(new Argument('<what>', 'what to list').choices(['backups']))
  .action(async () => {
    const rows = await (await cluster()).backups();
    for (const line of backupLines(rows, new Date())) console.log(line);
    for (const line of unknownPlanLines(configured(), rows)) console.error(line);
  });

program
  .command('describe')
  .description('print the record of a backup as JSON')
  .argument('<backup>', 'name of a backup')
  .action(async (name: string) => console.log(JSON.stringify(await (await cluster()).record(name), null, 2)));

program
  .command('status')
  .description('show the progress of the volumes of a backup')
  .argument('<backup>', 'name of a backup')
  .action(async (name: string) => {
    const progress = await (await cluster()).progress(name);
    if (progress) for (const line of progressLines(progress)) console.log(line);
    else console.log(`${name}: no volume has started`);
  });

program
  .command('backup')
  .description('start a backup of a plan now; print the ARN of its execution')
  .argument('<plan>', 'name of a plan of the cluster')
  .option('--tag <names...>', 'tags of the backup, for keepTags in retention (default: none)')
  .action(async (plan: string, { tag: tags }: { tag?: string[] }) => {
    const input = { plan: planIn(configured(), plan), ...(tags && { tags }) };
    console.log(await (await cluster()).start('backup', input));
  });

program
  .command('prune')
  .description(
    'remove the recovery points that the retention of a plan no longer keeps; print the ARN of the execution',
  )
  .argument('<plan>', 'name of a plan of the cluster, or of a retired one')
  .option('--dry-run', 'preview: write the report and remove nothing (default: off)')
  .option(
    '--allow-share <percent>',
    'percent of the recovery points that this run may remove, 1 to 100 (default: prune.maxShare)',
    percent,
  )
  .action(async (plan: string, options: { dryRun?: boolean; allowShare?: number }) => {
    const input = { plan: planIn(configured(), plan, { retired: true }), ...options };
    console.log(await (await cluster()).start('prune', input));
  });

program
  .command('verify')
  .description(
    'verify both copies of the vault now and repair what is damaged; print the ARN of the execution',
  )
  .option('--all', 'read all pack files, not one part of them (default: one part of verification.parts)')
  .action(async ({ all }: { all?: boolean }) =>
    console.log(await (await cluster()).start('verify', all ? { parts: 1 } : {})),
  );

program
  .command('restore')
  .description('start a restore; print the ARN of its execution')
  .argument('<backup>', 'name of a recovery point, or latest')
  .option('--from <source>', 'source: primary, replica, or the name of a Velero source', 'primary')
  .option('--namespaces <names>', 'namespaces to restore, separated by commas (default: all in the backup)')
  .option(
    '--files <volume>',
    'restore only files of the PVC namespace/name into the existing PVC of that name, and no objects (default: off)',
  )
  .option(
    '--include <path...>',
    'with --files: files and folders to restore, as paths in the volume like /base/1, or patterns (required with --files)',
  )
  .option(
    '--to <folder>',
    'with --files: target folder in the volume; / restores files in place (default: a new folder /holdfast-<restore>)',
  )
  .option('--dry-run', 'preview: write the restore plan and change nothing (default: off)')
  .action(async (backup: string, options: RestoreFlags) => {
    checkFileOptions(options);
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
  .description('restore etcd and the files of control-plane nodes')
  .command('restore')
  .description('restore the etcd data directory and the node files to a local folder; needs no cluster')
  .requiredOption('--to <folder>', 'target folder; must be empty or not exist')
  .option('--backup <name>', 'name of a recovery point, or latest', 'latest')
  .addOption(copyOption('copy of the vault to read'))
  .option(
    '--node <name>',
    'control-plane node whose etcd member to restore (default: the first node in the backup)',
  )
  .argument('[etcdutl...]', 'after --: additional options for etcdutl snapshot restore')
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
  .description('run restic on the repository of a namespace, or on _control-plane')
  .argument('<repository>', '[cluster/]namespace (default cluster: that of --cluster)')
  .argument('[command...]', 'after --: a restic command with its options')
  .addOption(copyOption('copy of the vault to read'))
  .option(
    '--print-env',
    'print the environment variables that restic needs, and do not run it; they include the password (default: off)',
  )
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
