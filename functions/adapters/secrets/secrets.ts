import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';

/** Reads the string of a Secrets Manager secret by name. */
export type ReadSecret = (name: string) => Promise<string>;

export function secretReader(region: string): ReadSecret {
  const client = new SecretsManagerClient({ region });
  return async (name) => {
    try {
      const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: name }));
      if (SecretString) return SecretString;
    } catch (cause) {
      if ((cause as Error).name !== 'ResourceNotFoundException') {
        throw new HoldfastError('VaultUnavailable', `secret ${name} cannot be read: ${messageOf(cause)}`, {
          cause,
        });
      }
    }
    throw new HoldfastError('ClusterCredentialsInvalid', `secret ${name} is not in ${region} or is empty`, {
      hint: 'Create it there with a secret string',
    });
  };
}
