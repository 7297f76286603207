import { type Command, Option } from 'commander';
import { openVault } from '../functions/adapters/s3/vault.ts';
import { openVersions } from '../functions/adapters/s3/versions.ts';
import { vaultBucketName } from '../functions/contract/names.ts';
import { parseInstant } from '../functions/core/instant.ts';
import { isIdle } from '../functions/core/rewind.ts';
import { atWork } from './activity.ts';
import { type ClusterOptions, findCluster } from './cluster.ts';
import { applyRewind, planRewind } from './rewind.ts';
import { confirmLine, type RewindHeading, rewindLines, stepLines } from './rewind-lines.ts';

const print = (lines: readonly string[]): void => {
  for (const line of lines) console.log(line);
};

/** Adds `holdfast vault …`: what a person does with the vault itself, with credentials of their own. */
export function vaultCommands(program: Command, options: () => ClusterOptions): void {
  const vault = program.command('vault').description('the vault itself: bring it back as it was');
  vault
    .command('rewind')
    .description('show, and with --confirm rebuild, what was to be seen of a cluster at an instant')
    .requiredOption('--to <time>', 'like 2026-11-24T18:00:00Z, or 2h ago')
    .addOption(
      new Option('--from <copy>', 'the copy that is rewound')
        .choices(['primary', 'replica'])
        .default('primary'),
    )
    .option('--list', 'print every key that changes, and why')
    .option('--confirm', 'do it')
    .action((flags: RewindFlags) => rewind(options(), flags));
}

interface RewindFlags {
  readonly to: string;
  readonly from: 'primary' | 'replica';
  readonly list?: boolean;
  readonly confirm?: boolean;
}

async function rewind(options: ClusterOptions, { to, from, list, confirm }: RewindFlags): Promise<void> {
  const now = new Date();
  const instant = parseInstant(to, now);
  const { config, cluster, account } = await findCluster(options);
  const { name, region: home, replicaRegion } = config.vault;
  const region = from === 'primary' ? home : replicaRegion;
  const bucket = vaultBucketName(name, account, region);
  const versions = openVersions(bucket, region);
  const at = { cluster: cluster.name, bucket, copy: from, to: instant };
  const primary = openVault(vaultBucketName(name, account, home), home);
  const heading: RewindHeading = { ...at, atWork: await atWork(primary, account, cluster.name, now) };
  const { steps, summary } = await planRewind(versions, cluster.name, instant);
  if (list) print(stepLines(steps));
  print(rewindLines(heading, summary));
  if (isIdle(summary)) return;
  if (!confirm) return print(['', confirmLine(heading)]);
  await applyRewind(versions, openVault(bucket, region), steps, progressTo(steps.length));
  const left = await planRewind(versions, cluster.name, instant);
  if (!isIdle(left.summary))
    throw new Error(
      `${left.steps.length} objects have changed meanwhile: run it again when nothing is at work`,
    );
  print(['', `Done: ${cluster.name} in ${bucket} is as it was at ${instant.toISOString()}`]);
}

/** Says on the terminal how far it is; nothing where nobody looks. */
function progressTo(all: number): (done: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (done) => void process.stderr.write(`\r${done} of ${all}${done === all ? '\n' : ''}`);
}
