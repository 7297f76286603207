import { COPIES, type CopyName, type PerCopy } from '../../contract/copies.ts';
import { contentHash } from '../../core/vault/replication.ts';
import type { VaultKeys } from '../../core/vault/vault-keys.ts';
import {
  type CopyState,
  inEither,
  isRead,
  type Part,
  type VerifyRepository,
} from '../../core/vault/verification.ts';
import type { Vault } from '../../ports/vault.ts';
import { type Look, lookAt } from './look.ts';

/** Keys of a kind that a run reads, of either copy, those after a key. */
export async function* objectsBelow(
  copies: PerCopy<Vault>,
  prefix: string,
  after: string | undefined,
  part: Part,
): AsyncGenerator<string> {
  const { primary, replica } = copies;
  for await (const key of inEither(primary.list(prefix, after), replica.list(prefix, after)))
    if (isRead(key, part)) yield key;
}

/** Both copies prune for themselves: what one of them has no pack or index of may be in another one there. */
const NOWHERE = { primary: false, replica: false } as const;

/** Looks at an object of a repository: its name promises its sha256. What has another name is nobody's. */
export async function lookAtObject(
  copies: PerCopy<Vault>,
  key: string,
  { neededIn, snapshots }: VerifyRepository,
  repository: string,
): Promise<Look | undefined> {
  const sha256 = contentHash(key);
  if (sha256 === undefined && key !== `${repository}/config`) return undefined;
  const seen = sha256
    ? await lookAt(copies, key, sha256, NOWHERE)
    : await compareConfigs(copies, key, neededIn);
  return {
    ...seen,
    // Of a snapshot; which packs and indexes a recovery point needs only restic knows.
    recoveryPoints: snapshots.filter(({ id }) => id === sha256).map(({ backup }) => backup),
    repository,
    stillWanted: async () =>
      (await Promise.all(COPIES.map((copy) => copies[copy].exists(key)))).some(Boolean),
  };
}

/** A configuration has no hash in its name: the copies can be compared, and restic knows which of them opens. */
async function compareConfigs(
  copies: PerCopy<Vault>,
  key: string,
  neededIn: readonly CopyName[],
): Promise<Pick<Look, 'key' | 'sha256' | 'seen' | 'bytes'>> {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => copies[copy].digest(key)));
  const lacking = COPIES.some((copy) => neededIn.includes(copy) && !{ primary, replica }[copy]);
  const equal = !lacking && (!primary || !replica || primary.sha256 === replica.sha256);
  const state = (copy: CopyName): CopyState => {
    if ({ primary, replica }[copy]) return equal ? 'good' : 'unproven';
    return neededIn.includes(copy) ? 'missing' : 'absent';
  };
  const seen = { primary: state('primary'), replica: state('replica') };
  return { key, sha256: undefined, seen, bytes: (primary ?? replica)?.bytes ?? 0 };
}

/** Looks at the snapshot that a record promises, which no listing shows when neither copy has it. */
export async function lookAtSnapshot(
  copies: PerCopy<Vault>,
  keys: VaultKeys,
  namespace: string,
  { id, backup }: VerifyRepository['snapshots'][number],
): Promise<Look> {
  const repository = keys.restic.repository(namespace);
  const record = keys.records.record(backup);
  const [primary, replica, proven] = await Promise.all([
    copies.primary.exists(record),
    copies.replica.exists(record),
    copies.primary.exists(keys.records.replica(backup)),
  ]);
  return {
    ...(await lookAt(copies, `${repository}/snapshots/${id}`, id, {
      primary,
      replica: replica || (primary && proven),
    })),
    recoveryPoints: [backup],
    repository,
    counted: true, // by its listing
    stillWanted: async () =>
      (await Promise.all(COPIES.map((copy) => copies[copy].exists(record)))).some(Boolean),
  };
}
