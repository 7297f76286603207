import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { SessionScope } from '../../core/restic/repository.ts';

interface ScopedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** ISO 8601. */
  readonly expiration: string;
}

/** Issues credentials of a role, within a scope. Errors: `VaultUnavailable`. */
export type MintCredentials = (scope: SessionScope) => Promise<ScopedCredentials>;

/** Role chaining allows one hour at most. */
const DURATION_SECONDS = 3600;

export function credentialMinter(region: string, roleArn: string): MintCredentials {
  const client = new STSClient({ region });
  return async ({ session, policy, tags }) => {
    try {
      const { Credentials: c } = await client.send(
        new AssumeRoleCommand({
          RoleArn: roleArn,
          RoleSessionName: session.slice(0, 64),
          Policy: JSON.stringify(policy),
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
          DurationSeconds: DURATION_SECONDS,
        }),
      );
      if (c?.AccessKeyId && c.SecretAccessKey && c.SessionToken && c.Expiration) {
        return {
          accessKeyId: c.AccessKeyId,
          secretAccessKey: c.SecretAccessKey,
          sessionToken: c.SessionToken,
          expiration: c.Expiration.toISOString(),
        };
      }
      throw new Error('STS returned no credentials');
    } catch (cause) {
      throw new HoldfastError(
        'VaultUnavailable',
        `cannot issue credentials for ${session}: ${messageOf(cause)}`,
        { cause },
      );
    }
  };
}
