import { openVault } from '../adapters/s3/vault.ts';
import { COPIES, isCopyName } from '../contract/copies.ts';
import { HoldfastError } from '../contract/holdfast-error.ts';
import { type VeleroKeys, veleroKeys } from '../core/vault/vault-keys.ts';
import type { Vault } from '../ports/vault.ts';
import { clusterKeys, openCopy } from '../runtime/connect.ts';
import { settings } from '../runtime/settings.ts';

/** What a restore reads from: a copy of the vault, or a bucket written by Velero. */
export interface RestoreSource {
  readonly vault: Vault;
  /** Key of a backup's archive. */
  archive(backup: string): string;
  /** Keys of a Velero source; absent for the vault's own copies. */
  readonly velero?: VeleroKeys;
}

/**
 * The source of a name: `primary`, `replica`, or one of the configured Velero sources.
 *
 * @throws HoldfastError InputInvalid when the source does not exist.
 */
export function sourceOf(from: string): RestoreSource {
  if (isCopyName(from)) return { vault: openCopy(from), archive: clusterKeys().velero.archive };
  const { veleroSources } = settings();
  const found = veleroSources.find((s) => s.name === from);
  if (found) {
    const velero = veleroKeys(found.prefix);
    return { vault: openVault(found.bucket, found.region), archive: velero.archive, velero };
  }
  const known = [...COPIES, ...veleroSources.map((s) => s.name)].join(', ');
  throw new HoldfastError('InputInvalid', `from: there is no source "${from}"`, {
    hint: `There are: ${known}`,
  });
}
