import { type ResticId, snapshotKey } from '../core/restic/ids.ts';
import type { Vault } from '../ports/vault.ts';

/** The result of a Job that backs something up. */
interface Outcome {
  readonly result: 'protected' | 'partial' | 'failed';
  readonly snapshot?: ResticId | undefined;
}

/** What the log of a Job says of its snapshot. */
const CLAIMS = ['snapshot', 'files', 'bytes', 'revision', 'keys', 'hash', 'counted'] as const;

/** An outcome without what the Job's log says of its snapshot. */
type Failed<O> = Omit<O, (typeof CLAIMS)[number]>;

/**
 * An outcome whose snapshot is in the vault, or a failed one: a log is only what a pod says. `repository`: the key of the
 * repository in the vault.
 */
export async function withSnapshotInVault<O extends Outcome>(
  vault: Pick<Vault, 'exists'>,
  repository: string,
  outcome: O,
): Promise<O | Failed<O>> {
  const { snapshot } = outcome;
  if (!snapshot || (await vault.exists(snapshotKey(repository, snapshot)))) return outcome;
  return failedBecause(outcome, `restic reports the snapshot ${snapshot}, but the vault does not have it`);
}

/** The outcome of something whose snapshot does not count, and why. */
export function failedBecause<O extends Outcome>(outcome: O, message: string): Failed<O> {
  const claims: readonly string[] = CLAIMS;
  const rest = Object.entries(outcome).filter(([name]) => !claims.includes(name));
  return { ...(Object.fromEntries(rest) as Failed<O>), result: 'failed', message };
}
