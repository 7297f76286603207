import * as z from 'zod/mini';

const PATTERN = /^[0-9a-f]{64}$/;

/** Name of a restic object (a snapshot, a pack, a key): the sha256 of its bytes in lower-case hex. */
export const ResticId = z.string().check(z.regex(PATTERN, 'not the id of a restic object'));
export type ResticId = z.infer<typeof ResticId>;

/** Whether a value has the form of a restic id. Nothing else may become an argument or a part of a key. */
export const isResticId = (value: unknown): value is ResticId =>
  typeof value === 'string' && PATTERN.test(value);

/**
 * Key of a snapshot in the vault. `repository`: that of its repository.
 *
 * @throws RangeError when the id is none.
 */
export function snapshotKey(repository: string, snapshot: string): string {
  if (!isResticId(snapshot)) throw new RangeError('not the id of a restic snapshot');
  return `${repository}/snapshots/${snapshot}`;
}
