import pMap from 'p-map';
import { messageOf } from '../../contract/holdfast-error.ts';
import { type Claim, snapshotFault, withFacts } from '../../core/backup/evidence.ts';
import type { ResticId } from '../../core/restic/ids.ts';
import type { Repository } from '../../runtime/repositories.ts';
import { failedBecause } from '../claimed-snapshot.ts';

/** Repositories at once: each needs a core for half a second, and 32 MiB, to derive its key. */
const REPOSITORIES = 4;
const SNAPSHOTS = 8;

/** What the snapshots of a backup are read with. */
export interface EvidenceContext {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly backup: string;
  /** Opens the repository of a namespace. Throws RecoveryPointDamaged if it cannot be opened. */
  openRepository(namespace: string): Promise<Repository>;
}

interface Outcome {
  readonly result: 'protected' | 'partial' | 'failed';
  readonly snapshot?: ResticId | undefined;
  readonly message?: string | undefined;
}

/**
 * The outcomes of a backup as its repositories bear them out. A snapshot counts if it is there, can be decrypted, and is of
 * this cluster, backup and path; the size is what it says. Any other makes its outcome failed. A repository that cannot be opened
 * costs the outcomes of its own namespace.
 *
 * @throws HoldfastError VaultUnavailable, and other errors of `openRepository`.
 */
export async function seenInVault<O extends Outcome>(
  context: EvidenceContext,
  claims: readonly Claim<O>[],
): Promise<O[]> {
  const seen = new Map<Claim<O>, O>();
  const namespaces = Map.groupBy(claims, ({ place, outcome }) => outcome.snapshot && place?.namespace);
  await pMap(
    namespaces,
    async ([namespace, own]) => {
      const repository =
        namespace === undefined ? undefined : await context.openRepository(namespace).catch(damage);
      const look = async (claim: Claim<O>) => void seen.set(claim, await lookAt(context, claim, repository));
      await pMap(own, look, { concurrency: SNAPSHOTS });
    },
    { concurrency: REPOSITORIES },
  );
  return claims.map((claim) => seen.get(claim) ?? claim.outcome);
}

async function lookAt<O extends Outcome>(
  { cluster, backup }: EvidenceContext,
  { outcome, place }: Claim<O>,
  repository: Repository | string | undefined,
): Promise<O> {
  const { snapshot } = outcome;
  const failed = (why: string) => failedBecause(outcome, why) as O;
  if (!place) return snapshot ? failed('it names a snapshot, but it can have none') : outcome;
  if (outcome.result !== 'failed' && !snapshot) return failed('its result names no snapshot');
  if (!snapshot || repository === undefined) return outcome;
  if (typeof repository === 'string') return failed(repository);
  const facts = await repository.snapshot(snapshot).catch(damage);
  if (facts === undefined) return failed(`its snapshot ${snapshot} is not in the vault`);
  if (typeof facts === 'string') return failed(facts);
  const fault = snapshotFault(facts, { cluster, backup, path: place.path });
  return fault === undefined ? withFacts(outcome, facts) : failed(`its snapshot ${snapshot} ${fault}`);
}

/** What is wrong with objects of the vault. Any other error is thrown. */
function damage(error: unknown): string {
  if ((error as Error).name !== 'RecoveryPointDamaged') throw error;
  return messageOf(error);
}
