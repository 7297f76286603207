import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { findJson, getJson } from '../functions/adapters/s3/documents.ts';
import { openVault } from '../functions/adapters/s3/vault.ts';
import { secretReader } from '../functions/adapters/secrets/secrets.ts';
import { type Machine, machineName, masterSecretName, vaultBucketName } from '../functions/contract/names.ts';
import { parseBackupName } from '../functions/core/backup/backup-name.ts';
import { BackupRecord, Progress } from '../functions/core/backup/record.ts';
import { repositoryPassword, repositoryUrl } from '../functions/core/restic/repository.ts';
import { vaultKeys } from '../functions/core/vault/vault-keys.ts';
import { loadConfig } from '../infra/config/load.ts';
import { settingsOf } from '../infra/config/settings.ts';

export interface ClusterOptions {
  readonly config?: string;
  readonly cluster?: string;
}

/** A cluster of holdfast.yaml, and the account that the caller's credentials are of. */
export async function findCluster(options: ClusterOptions) {
  const config = loadConfig(options.config);
  const cluster = options.cluster
    ? config.clusters.find((c) => c.name === options.cluster)
    : config.clusters[0];
  if (!cluster)
    throw new Error(
      `holdfast.yaml has no cluster "${options.cluster}": it has ${config.clusters.map((c) => c.name).join(', ')}`,
    );
  const { region } = config.vault;
  const { Account: account = '' } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
  return { config, cluster, account };
}

/** What the command line does with one cluster of holdfast.yaml. */
export async function openCluster(options: ClusterOptions) {
  const { config, cluster, account } = await findCluster(options);
  const settings = settingsOf(config, cluster);
  const { region } = config.vault;
  const vault = openVault(vaultBucketName(config.vault.name, account, region), region);
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
    /** How far a backup's volumes are; undefined when it has none, or none has begun. */
    progress: (name: string) => findJson(vault, Progress, keys.records.progress(name)),
    /** The newest backup whose etcd is protected, or the one that is named. */
    async withControlPlane(name: string): Promise<BackupRecord> {
      const records =
        name === 'latest' ? (await this.backups()).map((row) => row.record) : [await this.record(name)];
      const found = records.find((r) => r.controlPlane?.some((o) => o.id === 'etcd' && o.snapshot));
      if (found) return found;
      throw new Error(
        `${name === 'latest' ? 'no backup' : name} holds a snapshot of etcd: its plan needs controlPlane: true`,
      );
    },
    /** Starts a machine; the ARN of its execution. */
    async start(machine: Machine, input: object): Promise<string> {
      const stateMachineArn = `arn:aws:states:${region}:${account}:stateMachine:${machineName(cluster.name, machine)}`;
      const { executionArn } = await new SFNClient({ region }).send(
        new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }),
      );
      return executionArn as string;
    },
    /** What plain restic needs to open a namespace's repository; S3 credentials are the caller's own. */
    async resticEnvironment(namespace: string, from: 'primary' | 'replica' = 'primary') {
      const repository = keys.restic.repository(namespace);
      const { region, replicaRegion, replicaAccount } = config.vault;
      const at =
        from === 'primary'
          ? { region, account, endpoint: settings.jobs.s3Endpoint }
          : {
              region: replicaRegion,
              account: replicaAccount ?? account,
              endpoint: settings.jobs.replicaS3Endpoint,
            };
      const master = await secretReader(region)(masterSecretName(cluster.name));
      return {
        RESTIC_REPOSITORY: repositoryUrl(
          at.endpoint,
          vaultBucketName(config.vault.name, at.account, at.region),
          repository,
        ),
        RESTIC_PASSWORD: repositoryPassword(master, repository),
        AWS_DEFAULT_REGION: at.region,
      };
    },
  };
}
