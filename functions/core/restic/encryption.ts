import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import { poly1305 } from '@noble/ciphers/_poly1305.js';

/** A key of restic: AES-256 to encrypt, and the two keys of Poly1305-AES, 16 bytes each, to authenticate. */
export interface RepositoryKey {
  readonly encrypt: Buffer;
  readonly mac: { readonly k: Buffer; readonly r: Buffer };
}

const IV_BYTES = 16;
const MAC_BYTES = 16;

/**
 * Decrypts what restic stores: the IV, AES-256-CTR of the text, and its Poly1305-AES authentication code, under which the IV
 * is the nonce. Undefined: these bytes were not written with this key, or not all of them.
 */
export function decrypted({ encrypt, mac }: RepositoryKey, stored: Buffer): Buffer | undefined {
  if (stored.length < IV_BYTES + MAC_BYTES) return undefined;
  const iv = stored.subarray(0, IV_BYTES);
  const text = stored.subarray(IV_BYTES, -MAC_BYTES);
  const pad = createCipheriv('aes-128-ecb', mac.k, null).update(iv);
  const code = poly1305(text, Buffer.concat([mac.r, pad]));
  if (!timingSafeEqual(code, stored.subarray(-MAC_BYTES))) return undefined;
  return createDecipheriv('aes-256-ctr', encrypt, iv).update(text);
}
