import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { findJson, getJson } from '../functions/adapters/s3/documents.ts';
import { openVault } from '../functions/adapters/s3/vault.ts';
import { secretReader } from '../functions/adapters/secrets/secrets.ts';
import { type CopyName, type PerCopy, type VaultCopy, vaultCopies } from '../functions/contract/copies.ts';
import { type Machine, type MachineHome, machineArn, masterSecretName } from '../functions/contract/names.ts';
import { partitionOf } from '../functions/contract/partition.ts';
import { parseBackupName } from '../functions/core/backup/backup-name.ts';
import { BackupRecord, Progress } from '../functions/core/backup/record.ts';
import { repositoryIn, repositoryPassword } from '../functions/core/restic/repository.ts';
import { vaultKeys } from '../functions/core/vault/vault-keys.ts';
import { loadConfig } from '../infra/config/load.ts';
import type { ClusterConfig, Config } from '../infra/config/schema.ts';

/** The configuration of this checkout, regardless of the working directory. */
const CHECKOUT_FILE = fileURLToPath(new URL('../holdfast.yaml', import.meta.url));

export interface ClusterOptions {
  readonly config?: string;
  readonly cluster?: string;
}

/** A cluster of holdfast.yaml and its location in AWS. */
export interface FoundCluster {
  readonly cluster: ClusterConfig;
  readonly copies: PerCopy<VaultCopy>;
  /** Its state machines are in the region of the primary, in the caller's AWS partition. */
  readonly home: MachineHome;
}

/** Finds a cluster of holdfast.yaml. The partition, and the account if none is configured, come from STS. */
export async function findCluster(options: ClusterOptions): Promise<FoundCluster> {
  const { config, cluster } = configuredCluster(options);
  const { account, partition } = await callerIn(config.vault.region);
  const copies = vaultCopies(config.vault, account, cluster.jobs);
  return { cluster, copies, home: { ...copies.primary, partition } };
}

/** A cluster of holdfast.yaml. Sends no request to AWS. */
export function configuredCluster(options: ClusterOptions): {
  readonly config: Config;
  readonly cluster: ClusterConfig;
} {
  const config = loadConfig(options.config, CHECKOUT_FILE);
  const cluster = options.cluster
    ? config.clusters.find((c) => c.name === options.cluster)
    : config.clusters[0];
  if (!cluster)
    throw new Error(
      `--cluster: holdfast.yaml has no cluster "${options.cluster}". It has: ${config.clusters.map((c) => c.name).join(', ')}`,
    );
  return { config, cluster };
}

/** The same; undefined if no configuration is named and the checkout has none. For commands that need none. */
export const configuredClusterIfAny = (
  options: ClusterOptions,
): ReturnType<typeof configuredCluster> | undefined =>
  options.config || options.cluster || process.env.HOLDFAST_CONFIG || existsSync(CHECKOUT_FILE)
    ? configuredCluster(options)
    : undefined;

/** The AWS account and partition of the caller's credentials. */
async function callerIn(region: string): Promise<{ account: string; partition: string }> {
  const { Account: account, Arn: arn } = await new STSClient({ region }).send(
    new GetCallerIdentityCommand({}),
  );
  if (account && arn) return { account, partition: partitionOf(arn) };
  throw new Error(
    'STS returned no account or ARN for the credentials: check AWS_PROFILE and AWS_ENDPOINT_URL',
  );
}

/** Opens a cluster of holdfast.yaml for the commands. */
export async function openCluster(options: ClusterOptions) {
  const { cluster, copies, home } = await findCluster(options);
  const { bucket, region } = copies.primary;
  const vault = openVault(bucket, region);
  const keys = vaultKeys(cluster.name);
  return {
    /** Committed backups, newest first. */
    async backups() {
      const names = (await vault.folders(keys.records.root)).filter((n) => parseBackupName(n));
      const rows = await Promise.all(
        names.map(async (name) => {
          const record = await findJson(vault, BackupRecord, keys.records.record(name));
          return record ? [{ record, replicated: await vault.exists(keys.records.replica(name)) }] : [];
        }),
      );
      return rows.flat().sort((a, b) => (a.record.startedAt < b.record.startedAt ? 1 : -1));
    },
    record: (name: string) => getJson(vault, BackupRecord, keys.records.record(name)),
    /** Progress of a backup's volumes; undefined if it has none or none has started. */
    progress: (name: string) => findJson(vault, Progress, keys.records.progress(name)),
    /** The named backup, or for `latest` the newest one with an etcd snapshot. */
    async withControlPlane(name: string): Promise<BackupRecord> {
      const records =
        name === 'latest' ? (await this.backups()).map((row) => row.record) : [await this.record(name)];
      const found = records.find((r) => r.controlPlane?.some((o) => o.id === 'etcd' && o.snapshot));
      if (found) return found;
      throw new Error(
        `${name === 'latest' ? 'no backup contains' : `${name} does not contain`} an etcd snapshot: set controlPlane: true in its plan`,
      );
    },
    /** Starts a state machine. Returns the ARN of its execution. */
    async start(machine: Machine, input: object): Promise<string> {
      const stateMachineArn = machineArn(home, cluster.name, machine);
      const { executionArn } = await new SFNClient({ region }).send(
        new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
      );
      return executionArn as string;
    },
    /** Environment with which restic opens a namespace's repository. It holds no S3 credentials. */
    async resticEnvironment(namespace: string, from: CopyName) {
      const key = keys.restic.repository(namespace);
      const at = repositoryIn(copies[from], key);
      const master = await secretReader(region)(masterSecretName(cluster.name));
      return {
        RESTIC_REPOSITORY: at.repository,
        RESTIC_PASSWORD: repositoryPassword(master, key),
        AWS_DEFAULT_REGION: at.region,
      };
    },
  };
}
