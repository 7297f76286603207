import { openVault } from '../adapters/s3/vault.ts';
import { VAULT_COPIES } from '../contract/restore-options.ts';
import { HoldfastError } from '../core/errors.ts';
import { type VeleroKeys, veleroKeys } from '../core/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';
import { keys, primaryVault, replicaVault } from './connect.ts';
import { settings } from './settings.ts';

/** Where a restore reads: a copy of the vault, or a bucket that a Velero wrote. */
export interface RestoreSource {
  readonly vault: Vault;
  /** Key of a backup's archive. */
  archive(backup: string): string;
  /** Keys of a Velero source; absent for the vault's own copies. */
  readonly velero?: VeleroKeys;
}

/** The source of a name: `primary`, `replica`, or one of the configured Velero sources. */
export function sourceOf(from: string): RestoreSource {
  if (VAULT_COPIES.includes(from))
    return {
      vault: from === 'primary' ? primaryVault() : replicaVault(),
      archive: keys().velero.archive,
    };
  const { veleroSources } = settings();
  const found = veleroSources.find((s) => s.name === from);
  if (found) {
    const velero = veleroKeys(found.prefix);
    return { vault: openVault(found.bucket, found.region), archive: velero.archive, velero };
  }
  const known = [...VAULT_COPIES, ...veleroSources.map((s) => s.name)].join(', ');
  throw new HoldfastError('InputInvalid', `from: there is no source "${from}"`, {
    hint: `There are: ${known}`,
  });
}
