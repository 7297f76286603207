import { createHash } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { SigningKey } from '../../ports/signing-key.ts';

/** A KMS key. Its private key never leaves KMS. */
export function signingKey(alias: string, region: string): SigningKey {
  const kms = new KMSClient({ region });
  const attempt = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw new HoldfastError('VaultUnavailable', `KMS key ${alias} in ${region}: ${messageOf(cause)}`, {
        cause,
      });
    });
  return {
    async sign(document) {
      const { Signature } = await attempt(
        kms.send(
          new SignCommand({
            KeyId: alias,
            MessageType: 'DIGEST',
            Message: createHash('sha256').update(document).digest(),
            SigningAlgorithm: 'ECDSA_SHA_256',
          }),
        ),
      );
      return Buffer.from(Signature ?? []).toString('base64');
    },
    async publicKey() {
      const { PublicKey } = await attempt(kms.send(new GetPublicKeyCommand({ KeyId: alias })));
      return Buffer.from(PublicKey ?? []);
    },
  };
}
