import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { masterSecretName, signingKeyAlias, stackNames } from '../../functions/contract/names.ts';
import type { Config } from '../config/schema.ts';
import { lockSettings } from '../config/settings.ts';
import { VaultBucket, type VaultBucketProps } from '../constructs/vault-bucket.ts';

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
      env: { region: config.vault.region },
      terminationProtection: true,
      description: 'Holdfast vault: primary copy',
    });
    new VaultBucket(this, 'Vault', bucketProps(config.vault, config.vault.region));
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
}

/** The second copy of the vault, in the second region. */
export class VaultReplicaStack extends Stack {
  constructor(scope: Construct, config: Config) {
    super(scope, stackNames.replica, {
      env: { region: config.vault.replicaRegion },
      terminationProtection: true,
      description: 'Holdfast vault: second copy',
    });
    new VaultBucket(this, 'Vault', bucketProps(config.vault, config.vault.replicaRegion));
  }
}
