import { contentHash } from '../core/replication.ts';
import type { VaultKeys } from '../core/vault-keys.ts';
import {
  type BothSides,
  bothSides,
  COPIES,
  expectedOf,
  isRead,
  type Part,
  type VerifyRepository,
} from '../core/verification.ts';
import { type Copies, digestOf, type Look, lookAt } from './look.ts';

/** Objects of a kind that a run reads, those after a key. */
export async function* objectsBelow(
  copies: Copies,
  prefix: string,
  after: string | undefined,
  part: Part,
): AsyncGenerator<BothSides> {
  const listings = COPIES.map((copy) => copies[copy].list(prefix, after)) as [never, never];
  for await (const sides of bothSides(...listings)) if (isRead(sides.key, part)) yield sides;
}

/** Looks at an object of a repository: its name promises its sha256. What has another name is nobody's. */
export async function lookAtObject(
  copies: Copies,
  sides: BothSides,
  repository: VerifyRepository,
  repositoryKey: string,
): Promise<Look | undefined> {
  const { key } = sides;
  const sha256 = contentHash(key);
  const isConfig = key === `${repositoryKey}/config`;
  if (sha256 === undefined && !isConfig) return undefined;
  const expected = expectedOf(sides, repository);
  const seen = sha256
    ? await lookAt(copies, key, sha256, expected)
    : await compareConfigs(copies, key, expected);
  const inEither = async () =>
    (await Promise.all(COPIES.map((copy) => copies[copy].exists(key)))).some(Boolean);
  // Of a snapshot; which packs and indexes a recovery point needs only restic knows.
  const recoveryPoints = repository.snapshots.filter(({ id }) => id === sha256).map(({ backup }) => backup);
  return { ...seen, recoveryPoints, repository: repositoryKey, stillWanted: inEither };
}

/** A configuration has no hash in its name: the copies can be compared, and restic knows which of them opens. */
async function compareConfigs(copies: Copies, key: string, expected: ReturnType<typeof expectedOf>) {
  const [primary, replica] = await Promise.all(COPIES.map((copy) => digestOf(copies[copy], key)));
  const differ = primary && replica && primary.sha256 !== replica.sha256;
  return {
    key,
    sha256: undefined,
    seen: {
      primary: primary ? ('good' as const) : expected.primary ? ('missing' as const) : ('absent' as const),
      replica: differ
        ? ('damaged' as const)
        : replica
          ? ('good' as const)
          : expected.replica
            ? ('missing' as const)
            : ('absent' as const),
    },
    bytes: (primary ?? replica)?.bytes ?? 0,
  };
}

/** Looks at the snapshot that a record promises, which no listing shows when neither copy has it. */
export async function lookAtSnapshot(
  copies: Copies,
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
    stillWanted: async () =>
      (await Promise.all(COPIES.map((copy) => copies[copy].exists(record)))).some(Boolean),
  };
}
