import { createHash } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { HoldfastError, messageOf } from '../../contract/holdfast-error.ts';
import type { SecretLabel } from '../../core/vault/key-rotation.ts';

export interface SecretVersion {
  readonly id: string;
  readonly value: string;
}
export type LabelledVersions = { readonly current: SecretVersion } & Partial<
  Record<SecretLabel, SecretVersion>
>;

/** Operations on the versions of one secret. None removes a version. */
export interface VersionedSecret {
  readonly name: string;
  read(): Promise<LabelledVersions>;
  /** Creates the pending version that follows the current one. Of concurrent calls, the value of one is stored. */
  propose(value: string, current: SecretVersion): Promise<void>;
  /** Makes the pending version current and the current one previous. The pending label stays. */
  promote(pending: SecretVersion, current: SecretVersion): Promise<void>;
  /** Removes the pending label from the version that has become current. */
  settle(version: SecretVersion): Promise<void>;
}

const STAGES = { current: 'AWSCURRENT', pending: 'AWSPENDING', previous: 'AWSPREVIOUS' } as const;

export function openSecret(name: string, region: string): VersionedSecret {
  const client = new SecretsManagerClient({ region });
  const SecretId = name;

  async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw new HoldfastError('VaultUnavailable', `secret ${name} ${what}: ${messageOf(cause)}`, { cause });
    }
  }
  const value = async (VersionId: string): Promise<SecretVersion> => {
    const got = await client.send(new GetSecretValueCommand({ SecretId, VersionId }));
    return { id: VersionId, value: got.SecretString ?? '' };
  };
  return {
    name,
    read: () =>
      attempt('cannot be read', async () => {
        const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
        const labelled = async (label: SecretLabel) => {
          const id = Object.keys(VersionIdsToStages).find((v) =>
            VersionIdsToStages[v]?.includes(STAGES[label]),
          );
          return id === undefined ? {} : { [label]: await value(id) };
        };
        const [current, pending, previous] = await Promise.all(
          (['current', 'pending', 'previous'] as const).map(labelled),
        );
        if (current?.current === undefined) throw new Error('it has no current version');
        return { ...pending, ...previous, current: current.current };
      }),
    propose: (SecretString, current) =>
      attempt('cannot get a new version', async () => {
        // The id derives from that of the current version, and Secrets Manager rejects another value for the same id.
        const ClientRequestToken = createHash('sha256').update(`after ${current.id}`).digest('hex');
        const VersionStages = [STAGES.pending];
        const put = { SecretId, SecretString, ClientRequestToken, VersionStages };
        await client.send(new PutSecretValueCommand(put)).catch(async (error: Error) => {
          if (error.name !== 'ResourceExistsException') throw error;
          const move = { SecretId, VersionStage: STAGES.pending, MoveToVersionId: ClientRequestToken };
          await client.send(new UpdateSecretVersionStageCommand(move));
        });
      }),
    promote: (pending, current) =>
      attempt('cannot promote its pending version', async () => {
        const move = { MoveToVersionId: pending.id, RemoveFromVersionId: current.id };
        await client.send(
          new UpdateSecretVersionStageCommand({ SecretId, VersionStage: STAGES.current, ...move }),
        );
      }),
    settle: (version) =>
      attempt('cannot end its rotation', async () => {
        const remove = { SecretId, VersionStage: STAGES.pending, RemoveFromVersionId: version.id };
        await client.send(new UpdateSecretVersionStageCommand(remove));
      }),
  };
}
