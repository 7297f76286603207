import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { masterSecretName, signingKeyAlias, stackNames } from '../../functions/contract/names.ts';
import type { Config } from '../config/schema.ts';
import { lockSettings } from '../config/settings.ts';
import { BucketReplication } from '../constructs/bucket-replication.ts';
import { failureAlarms, latencyAlarms } from '../constructs/replication-alarms.ts';
import { VaultBucket, type VaultBucketProps } from '../constructs/vault-bucket.ts';
import { environmentOf, vaultCopies } from '../constructs/vault-copies.ts';

/** What was deleted stays at least so long where nothing is locked: time to notice. */
const NONCURRENT_DAYS = 30;

/** The same rules for both copies. */
function bucketProps({ name, ...vault }: Config['vault'], region: string): VaultBucketProps {
  const objectLock = lockSettings(vault.objectLock);
  return {
    prefix: name,
    region,
    objectLock,
    noncurrentDays: vault.noncurrentDays ?? objectLock?.days ?? NONCURRENT_DAYS,
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
    const source = new VaultBucket(this, 'Vault', bucketProps(config.vault, config.vault.region));
    this.replicate(config, source);
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
        replicaRegions: [{ region: config.vault.replicaRegion }],
        removalPolicy: RemovalPolicy.RETAIN,
      });
    }
  }

  private replicate(config: Config, source: VaultBucket): void {
    const { mode, timeControl } = config.vault.replication;
    if (mode !== 'continuous') return;
    const { primary: from, replica: to } = vaultCopies(config);
    new BucketReplication(this, { source, from, to, timeControl });
    failureAlarms(this, { from, to, topicArn: config.alarms.topicArn });
  }
}

/** The second copy of the vault, in the second region. */
export class VaultReplicaStack extends Stack {
  constructor(scope: Construct, config: Config) {
    const { account, replicaRegion, replicaAccount } = config.vault;
    super(scope, stackNames.replica, {
      env: { ...environmentOf(config, replicaRegion), ...(replicaAccount && { account: replicaAccount }) },
      terminationProtection: true,
      description: 'Holdfast vault: second copy',
    });
    const usedBy = replicaAccount && account;
    new VaultBucket(this, 'Vault', { ...bucketProps(config.vault, replicaRegion), usedBy });
  }
}

/** Alarms on S3's replication that are where its metrics are: in the second region, but in the primary's account. */
export class VaultReplicationStack extends Stack {
  constructor(scope: Construct, config: Config) {
    super(scope, stackNames.replication, {
      env: environmentOf(config, config.vault.replicaRegion),
      description: 'Holdfast vault: alarms on the replication between its copies',
    });
    const { primary: from, replica: to } = vaultCopies(config);
    const topicArn = config.alarms.replicaTopicArn;
    latencyAlarms(this, { from, to, topicArn }, config.vault.replication.timeControl);
  }
}
