import type { PerCopy } from '../../functions/contract/copies.ts';
import { vaultKeys } from '../../functions/core/vault/vault-keys.ts';
import type { Verifier } from '../../functions/ports/signing-key.ts';
import type { PruneVault } from '../../functions/prune/prune-backups/points.ts';
import { openRepository } from '../../functions/runtime/repositories.ts';
import type { MemoryVault } from './memory-vault.ts';

/** The password of a repository of the cluster paris, by its key. */
export const passwordOf = (repository: string): string => `password of ${repository}`;

/** What a prune run of the cluster paris works with. */
export const pruneVault = (copies: PerCopy<MemoryVault>, verifier: Verifier): PruneVault => ({
  copies,
  keys: vaultKeys('paris'),
  cluster: 'paris',
  verifier,
  open: (copy, repository) => openRepository(copies[copy], repository, passwordOf(repository)),
  timeLeft: () => true,
  warn: () => undefined,
});
