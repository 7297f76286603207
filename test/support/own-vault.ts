import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { COPIES, type VaultCopy, vaultCopies } from '../../functions/contract/copies.ts';
import { masterSecretName } from '../../functions/contract/names.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { account } from '../../world/base/settings.ts';

const REGIONS = { region: 'eu-west-1', replicaRegion: 'eu-central-1' } as const;

export interface OwnVault {
  /** A holdfast.yaml of this vault and its one cluster. */
  readonly config: string;
  readonly primary: Vault;
  readonly replica: Vault;
}

/** A vault of two versioned buckets in the world's S3, with a master secret for a cluster of the same name; nothing is deployed. */
export async function makeOwnVault(name: string, master: string): Promise<OwnVault> {
  const copies = vaultCopies({ name, ...REGIONS }, account.id);
  const vaults = await Promise.all(COPIES.map((copy) => versioned(copies[copy])));
  await new SecretsManagerClient({ region: REGIONS.region }).send(
    new CreateSecretCommand({ Name: masterSecretName(name), SecretString: master }),
  );
  const config = join(mkdtempSync(join(tmpdir(), `${name}-`)), 'holdfast.yaml');
  writeFileSync(
    config,
    `vault: ${JSON.stringify({ name, ...REGIONS })}
clusters:
  - name: ${name}
    access: { kind: kubeconfig, backupSecret: ${name}/backup, restoreSecret: ${name}/restore }
    jobs: { s3Endpoint: "${process.env.AWS_ENDPOINT_URL}", replicaS3Endpoint: "${process.env.AWS_ENDPOINT_URL}" }
    plans:
      - { name: nightly, namespaces: [shop], schedule: "0 2 * * *", retention: { keepLast: 3 } }
`,
  );
  return { config, primary: vaults[0] as Vault, replica: vaults[1] as Vault };
}

async function versioned({ bucket: Bucket, region }: VaultCopy): Promise<Vault> {
  const s3 = new S3Client({ region, forcePathStyle: true });
  await s3.send(
    new CreateBucketCommand({
      Bucket,
      CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' },
    }),
  );
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  return openVault(Bucket, region);
}
