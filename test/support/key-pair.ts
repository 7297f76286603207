import { generateKeyPairSync, sign } from 'node:crypto';
import type { SigningKey } from '../../functions/ports/signing-key.ts';

/** A signing key as KMS has one, with its private half here. */
export function keyPair(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    sign: async (document) => sign('sha256', document, privateKey).toString('base64'),
    publicKey: async () => publicKey.export({ format: 'der', type: 'spki' }),
  };
}
