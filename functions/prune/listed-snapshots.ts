import { isResticId, type ResticId } from '../core/restic/ids.ts';
import type { Vault } from '../ports/vault.ts';

/** Objects of one repository that are listed. Whoever may back up a namespace may write any number into its repository. */
export const MAX_LISTED = 100_000;

/** The snapshots in a copy of a repository. */
export interface ListedSnapshots {
  /** When the object of each snapshot was written. */
  readonly written: ReadonlyMap<ResticId, Date>;
  /** False: there are more. */
  readonly complete: boolean;
}

/** Lists the snapshots of a repository in the vault. `repository`: its key. */
export async function listSnapshots(
  vault: Pick<Vault, 'list'>,
  repository: string,
  atMost = MAX_LISTED,
): Promise<ListedSnapshots> {
  const dir = `${repository}/snapshots/`;
  const written = new Map<ResticId, Date>();
  let listed = 0;
  for await (const { key, modified } of vault.list(dir)) {
    if (listed++ >= atMost) return { written, complete: false };
    const id = key.slice(dir.length);
    if (isResticId(id)) written.set(id, modified);
  }
  return { written, complete: true };
}
