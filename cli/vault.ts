import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { openVault } from '../functions/adapters/s3/vault.ts';
import { openVersions } from '../functions/adapters/s3/versions.ts';
import { openSecret } from '../functions/adapters/secrets/versions.ts';
import { COPIES, type CopyName, type VaultCopy } from '../functions/contract/copies.ts';
import { masterSecretName } from '../functions/contract/names.ts';
import { repositoryIn } from '../functions/core/restic/repository.ts';
import { isIdle } from '../functions/core/vault/rewind.ts';
import { incompleteAt } from '../functions/core/vault/rewind-reach.ts';
import { vaultKeys } from '../functions/core/vault/vault-keys.ts';
import { type ActivityContext, atWork } from './activity.ts';
import { type ClusterOptions, configuredCluster, type FoundCluster, findCluster } from './cluster.ts';
import { parseInstant } from './instant.ts';
import { repositoryKeys } from './repository-keys.ts';
import { applyRewind, keptVersions, planRewind } from './rewind.ts';
import { confirmLine, incompleteError, type RewindHeading, rewindLines, stepLines } from './rewind-lines.ts';
import { type RepositoryKeys, rotateKey } from './rotate-key.ts';
import { isInOrder, keyLines, lookAtKeys } from './verify-keys.ts';
import { copyOption, exceptIn } from './words.ts';

const print = (lines: readonly string[]): void => {
  for (const line of lines) console.log(line);
};

/** Adds the `holdfast vault` commands, which work on the vault with the operator's own credentials. */
export function vaultCommands(program: Command, options: () => ClusterOptions): void {
  const vault = program.command('vault').description('rewind the vault, rotate and verify its passwords');
  vault
    .command('rewind')
    .description('restore a cluster’s part of the vault to a point in time; a preview without --confirm')
    .requiredOption('--to <time>', 'point in time, like 2026-11-24T18:00:00Z or 2h ago')
    .addOption(copyOption('copy of the vault to rewind'))
    .option('--list', 'print each key that changes, with the reason (default: off)')
    .option('--confirm', 'apply the changes (default: preview)')
    .option(
      '--allow-incomplete',
      'with --confirm, rewind even if versions of that time have been removed (default: refuse)',
    )
    .action((flags: RewindFlags) => rewind(options(), flags));
  vault
    .command('rotate-key')
    .description(
      'create a new master secret and change the passwords of all repositories of a cluster in both copies',
    )
    .option('--except <repositories...>', 'repositories to leave unchanged, by namespace (default: none)')
    .option(
      '--force',
      'remove the old passwords although executions are running or hold leases (default: refuse)',
    )
    .action((flags: RotateFlags) => rotate(options(), flags));
  vault
    .command('verify-keys')
    .description(
      'show which passwords open the repositories of a cluster in both copies; exit code 1 if a rotation is needed',
    )
    .action(() => verifyKeys(options()));
}

interface RewindFlags {
  readonly to: string;
  readonly from: CopyName;
  readonly list?: boolean;
  readonly confirm?: boolean;
  readonly allowIncomplete?: boolean;
}

async function rewind(options: ClusterOptions, flags: RewindFlags): Promise<void> {
  const { to, from, list, confirm, allowIncomplete } = flags;
  const now = new Date();
  const instant = parseInstant(to, now);
  const found = await findCluster(options);
  const cluster = found.cluster.name;
  const { bucket, region } = found.copies[from];
  const versions = openVersions(bucket, region);
  const kept = await keptVersions(versions, cluster, configuredCluster(options).config.vault);
  const { steps, summary, existed } = await planRewind(versions, cluster, instant);
  const heading: RewindHeading = {
    ...{ cluster, bucket, copy: from, to: instant },
    atWork: await atWork(activityOf(found), now),
    incomplete: incompleteAt(instant, now, kept, existed),
  };
  if (list) print(stepLines(steps));
  print(rewindLines(heading, summary));
  if (isIdle(summary)) return;
  if (!confirm) return print(['', confirmLine(heading)]);
  if (heading.incomplete && !allowIncomplete) throw new Error(incompleteError(heading));
  await applyRewind(versions, openVault(bucket, region), steps, progressTo(steps.length));
  const left = await planRewind(versions, cluster, instant);
  if (!isIdle(left.summary))
    throw new Error(
      `${left.steps.length} objects changed during the rewind. Run it again when no execution is running`,
    );
  print(['', `Done: ${cluster} in ${bucket} is as it was at ${instant.toISOString()}`]);
}

interface RotateFlags {
  readonly except?: readonly string[];
  readonly force?: boolean;
}

async function rotate(options: ClusterOptions, { except = [], force }: RotateFlags): Promise<void> {
  const found = await findCluster(options);
  const { secret, repositories } = await findRepositories(found, except);
  await rotateKey({
    secret,
    repositories,
    newSecret: () => randomBytes(48).toString('base64url'),
    atWork: async () => (force ? [] : atWork(activityOf(found), new Date())),
    say: (line) => console.log(line),
  });
}

async function verifyKeys(options: ClusterOptions): Promise<void> {
  const { secret, repositories } = await findRepositories(await findCluster(options));
  const findings = await lookAtKeys(repositories.flat(), await secret.read());
  print(keyLines(findings));
  if (!findings.every(isInOrder)) process.exitCode = 1;
}

/** Opens a copy of the vault. */
const open = ({ bucket, region }: VaultCopy) => openVault(bucket, region);

const activityOf = ({ copies, home, cluster }: FoundCluster): ActivityContext => ({
  vault: open(copies.primary),
  home,
  cluster: cluster.name,
});

/**
 * The repositories of a cluster in both copies, the primary first, and the secret from which their passwords are derived.
 *
 * @throws InputInvalid for a name in `except` that is not a repository.
 */
async function findRepositories({ copies, cluster }: FoundCluster, except: readonly string[] = []) {
  const keys = vaultKeys(cluster.name);
  const opened = COPIES.map((name) => ({ copy: copies[name], vault: open(copies[name]) }));
  const found = await Promise.all(opened.map(({ vault }) => vault.folders(keys.restic.root)));
  const existing = [...new Set(found.flat())].sort();
  exceptIn(cluster.name, existing, except);
  const namespaces = existing.filter((n) => !except.includes(n));
  const repositories = namespaces.map(async (namespace) => {
    const repository = keys.restic.repository(namespace);
    const there: RepositoryKeys[] = [];
    for (const { copy, vault } of opened) {
      if (!(await vault.exists(`${repository}/config`))) continue; // not replicated yet, or not a repository
      const { repository: url, region } = repositoryIn(copy, repository);
      there.push(repositoryKeys({ repository, bucket: copy.bucket, url, region }));
    }
    return there;
  });
  return {
    secret: openSecret(masterSecretName(cluster.name), copies.primary.region),
    repositories: await Promise.all(repositories),
  };
}

/** Shows progress on standard error if that is a terminal. */
function progressTo(all: number): (done: number) => void {
  if (!process.stderr.isTTY) return () => undefined;
  return (done) => void process.stderr.write(`\r${done} of ${all}${done === all ? '\n' : ''}`);
}
