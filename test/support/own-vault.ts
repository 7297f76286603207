import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openVault } from '../../functions/adapters/s3/vault.ts';
import { masterSecretName, vaultBucketName } from '../../functions/contract/names.ts';
import type { Vault } from '../../functions/ports/vault.ts';
import { account } from '../../infra/local/settings.ts';

const REGIONS = { primary: 'eu-west-1', replica: 'eu-central-1' } as const;

export interface OwnVault {
  /** A holdfast.yaml of this vault and its one cluster. */
  readonly config: string;
  readonly primary: Vault;
  readonly replica: Vault;
}

/** A vault of two versioned buckets in the world's S3, with a master secret for a cluster of the same name; nothing is deployed. */
export async function makeOwnVault(name: string, master: string): Promise<OwnVault> {
  const vaults = await Promise.all(
    [REGIONS.primary, REGIONS.replica].map((region) => versioned(name, region)),
  );
  await new SecretsManagerClient({ region: REGIONS.primary }).send(
    new CreateSecretCommand({ Name: masterSecretName(name), SecretString: master }),
  );
  const config = join(mkdtempSync(join(tmpdir(), `${name}-`)), 'holdfast.yaml');
  writeFileSync(
    config,
    `vault: { name: ${name}, region: ${REGIONS.primary}, replicaRegion: ${REGIONS.replica} }
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

async function versioned(name: string, region: string): Promise<Vault> {
  const Bucket = vaultBucketName(name, account.id, region);
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
