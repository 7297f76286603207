import { signingKey } from '../adapters/kms/signing-key.ts';
import { clusterEndpoint } from '../adapters/kubernetes/access.ts';
import { kubeClient } from '../adapters/kubernetes/client.ts';
import { openVault } from '../adapters/s3/vault.ts';
import { secretReader } from '../adapters/secrets/secrets.ts';
import { type CopyName, type PerCopy, type VaultCopy, vaultCopies } from '../contract/copies.ts';
import { masterSecretName } from '../contract/names.ts';
import { vaultKeys } from '../core/vault/vault-keys.ts';
import type { KubeClient } from '../ports/kubernetes.ts';
import type { SigningKey } from '../ports/signing-key.ts';
import type { Vault } from '../ports/vault.ts';
import { env, settings } from './settings.ts';

/** Bucket and region of both copies of the vault. */
export function copies(): PerCopy<VaultCopy> {
  const { vault, jobs } = settings();
  return vaultCopies(vault, env('account'), jobs);
}

/** Opens one copy of the vault. */
export function openCopy(name: CopyName): Vault {
  const { bucket, region } = copies()[name];
  return openVault(bucket, region);
}
export const primaryVault = (): Vault => openCopy('primary');
export const openCopies = (): PerCopy<Vault> => ({
  primary: openCopy('primary'),
  replica: openCopy('replica'),
});

/** The keys of this function's cluster in the vault. */
export const clusterKeys = () => vaultKeys(settings().cluster);

/** The key that signs records. The function's role decides whether it may sign or only read the public key. */
export const recordKey = (): SigningKey => signingKey(env('signingKey'), settings().vault.region);

/** Calls `work` with a client of the cluster that has the identity for backups or for restores, then closes it. */
export async function withCluster<T>(
  use: 'backup' | 'restore',
  now: Date,
  work: (cluster: KubeClient) => Promise<T>,
): Promise<T> {
  const { access, vault } = settings();
  const endpoint = (at: Date) => clusterEndpoint(access, use, secretReader(vault.region), at);
  return thenClose(
    kubeClient(await endpoint(now), () => endpoint(new Date())),
    work,
  );
}

/** Calls `work` with a client and closes it, even if `work` fails. */
export async function thenClose<T>(
  cluster: KubeClient,
  work: (cluster: KubeClient) => Promise<T>,
): Promise<T> {
  try {
    return await work(cluster);
  } finally {
    await cluster.close();
  }
}

/** The cluster's repository master secret. */
export const masterSecret = (): Promise<string> =>
  secretReader(settings().vault.region)(masterSecretName(settings().cluster));
