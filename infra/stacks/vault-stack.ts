import { type Environment, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { CopyName, PerCopy, VaultCopy } from '../../functions/contract/copies.ts';
import {
  accessLogBucketName,
  masterSecretName,
  signingKeyAlias,
  stackNames,
} from '../../functions/contract/names.ts';
import { oldVersionDays } from '../config/old-versions.ts';
import type { Config } from '../config/schema.ts';
import { lockSettings } from '../config/settings.ts';
import { AccessLog } from '../constructs/access-log.ts';
import { topicOf } from '../constructs/alarm.ts';
import { BucketReplication } from '../constructs/bucket-replication.ts';
import { failureAlarms, latencyAlarms } from '../constructs/replication-alarms.ts';
import { VaultBucket, type VaultBucketProps } from '../constructs/vault-bucket.ts';
import { copiesOf, environmentOf } from '../constructs/vault-copies.ts';

/** The same rules for both copies. */
function bucketProps(vault: Config['vault'], copy: VaultCopy): VaultBucketProps {
  return {
    copy,
    objectLock: lockSettings(vault.objectLock),
    noncurrentDays: oldVersionDays(vault),
    logBucket: vault.accessLog.mode === 's3' ? accessLogBucketName(copy) : undefined,
  };
}

/** The primary copy of the vault and the clusters' repository master secrets, in the primary region. */
export class VaultStack extends Stack {
  constructor(scope: Construct, config: Config) {
    super(scope, stackNames.vault, {
      env: environmentOf(config),
      terminationProtection: true,
      description: 'Holdfast vault: primary copy',
    });
    const copies = copiesOf(config);
    const source = new VaultBucket(this, 'Vault', bucketProps(config.vault, copies.primary));
    this.replicate(config, source, copies);
    new Key(this, 'SigningKey', {
      alias: signingKeyAlias(config.vault.name),
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      description: 'Signs the records of Holdfast recovery points',
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const { name } of config.clusters) {
      new Secret(this, `Master-${name}`, {
        secretName: masterSecretName(name),
        description: `Every restic repository password of cluster ${name} is derived from this. Losing it loses the volumes' backups.`,
        generateSecretString: { passwordLength: 64, excludePunctuation: true },
        replicaRegions: [{ region: copies.replica.region }],
        removalPolicy: RemovalPolicy.RETAIN,
      });
    }
  }

  private replicate(
    config: Config,
    source: VaultBucket,
    { primary: from, replica: to }: PerCopy<VaultCopy>,
  ): void {
    const { mode, timeControl } = config.vault.replication;
    if (mode !== 'continuous') return;
    new BucketReplication(this, { source, from, to, timeControl });
    failureAlarms(this, { from, to, topicArn: topicOf('warning', config.alarms) });
  }
}

/** Where the stacks of the replica are. */
const replicaEnvironment = (config: Config): Environment => ({
  ...environmentOf(config, config.vault.replicaRegion),
  ...(config.vault.replicaAccount && { account: config.vault.replicaAccount }),
});

/** The log of the requests to one copy of the vault, in its region and account. */
export class AccessLogStack extends Stack {
  constructor(scope: Construct, config: Config, name: CopyName) {
    const copy = copiesOf(config)[name];
    super(scope, stackNames.accessLogs[name], {
      env: copy.region === config.vault.region ? environmentOf(config) : replicaEnvironment(config),
      terminationProtection: true,
      description: `Holdfast vault: log of the requests to the ${name}`,
    });
    new AccessLog(this, { copy, settings: config.vault.accessLog });
  }
}

/** The replica of the vault, in the DR region. */
export class VaultReplicaStack extends Stack {
  constructor(scope: Construct, config: Config) {
    const { account, replicaAccount } = config.vault;
    const { replica } = copiesOf(config);
    super(scope, stackNames.replica, {
      env: replicaEnvironment(config),
      terminationProtection: true,
      description: 'Holdfast vault: second copy',
    });
    const clusters = config.clusters.map(({ name }) => name);
    const usedBy = replicaAccount && account ? { account, clusters } : undefined;
    new VaultBucket(this, 'Vault', { ...bucketProps(config.vault, replica), usedBy });
  }
}

/** Alarms on S3's replication that are where its metrics are: in the second region, but in the primary's account. */
export class VaultReplicationStack extends Stack {
  constructor(scope: Construct, config: Config) {
    const { primary: from, replica: to } = copiesOf(config);
    super(scope, stackNames.replication, {
      env: environmentOf(config, to.region),
      description: 'Holdfast vault: alarms on the replication between its copies',
    });
    const topicArn = config.alarms.replicaTopicArn;
    latencyAlarms(this, { from, to, topicArn }, config.vault.replication.timeControl);
  }
}
