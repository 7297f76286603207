import type { Copy } from '../core/copies.ts';
import type { Vault } from '../ports/vault.ts';

/** Both copies of the vault. */
export type Copies = Readonly<Record<Copy, Vault>>;
