import { type SigningKey, signingKey } from '../adapters/kms/signing-key.ts';
import { clusterEndpoint } from '../adapters/kubernetes/access.ts';
import { kubeClient } from '../adapters/kubernetes/client.ts';
import { openVault } from '../adapters/s3/vault.ts';
import { secretReader } from '../adapters/secrets/secrets.ts';
import { masterSecretName } from '../contract/names.ts';
import { vaultKeys } from '../core/vault-keys.ts';
import type { KubeClient } from '../ports/kubernetes.ts';
import type { Vault } from '../ports/vault.ts';
import { env, settings } from './settings.ts';

/** The vault's primary copy, its replica, and the keys of this function's cluster. */
export const primaryVault = (): Vault => openVault(env('vaultBucket'), settings().vault.region);
export const replicaVault = (): Vault => openVault(env('replicaBucket'), settings().vault.replicaRegion);
export const keys = () => vaultKeys(settings().cluster);

/** The key that signs records. What a function may do with it is up to its role. */
export const recordKey = (): SigningKey => signingKey(env('signingKey'), settings().vault.region);

/** Works with this function's cluster, under the identity for backups or for restores, and closes the connection. */
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

/** Works with a client and closes it, whatever becomes of the work. */
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
