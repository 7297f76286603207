import type { Vault } from '../adapters/s3/vault.ts';
import type { Copy } from '../core/vault/copies.ts';

/** Both copies of the vault. */
export type Copies = Readonly<Record<Copy, Vault>>;
