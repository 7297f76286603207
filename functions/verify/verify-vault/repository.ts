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

/** Keys below a prefix that a run reads, in either copy, after a given key. */
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

/** The copies are pruned separately: a pack or index of one copy does not need to exist in the other. */
const NOWHERE = { primary: false, replica: false } as const;

/** Checks an object of a repository, whose name is its sha256. undefined for an object with any other name. */
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
    // Known for snapshots only: which packs and indexes a recovery point needs, only restic knows.
    recoveryPoints: snapshots.filter(({ id }) => id === sha256).map(({ backup }) => backup),
    repository,
    stillWanted: async () =>
      (await Promise.all(COPIES.map((copy) => copies[copy].exists(key)))).some(Boolean),
  };
}

/** Compares the configurations of both copies. They have no hash in their name; only restic knows which one is right. */
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

/** Checks a snapshot that a record names. If it is missing in both copies, no listing shows it. */
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
    counted: true, // in the step of its listing
    stillWanted: async () =>
      (await Promise.all(COPIES.map((copy) => copies[copy].exists(record)))).some(Boolean),
  };
}
