import pMap from 'p-map';
import type { LabelledVersions } from '../functions/adapters/secrets/versions.ts';
import type { SecretLabel } from '../functions/core/vault/key-rotation.ts';
import { openedBy, type RepositoryKeys } from './rotate-key.ts';

export interface KeyFinding {
  readonly name: string;
  readonly opens: ReadonlySet<SecretLabel>;
}

/** Finds which passwords open each repository. */
export const lookAtKeys = (
  repositories: readonly RepositoryKeys[],
  versions: LabelledVersions,
): Promise<KeyFinding[]> =>
  pMap(repositories, async (keys) => ({ name: keys.name, opens: await openedBy(keys, versions) }), {
    concurrency: 2,
  });

/** Whether the current password opens it and the previous one does not. */
export const isInOrder = ({ opens }: KeyFinding): boolean => opens.has('current') && !opens.has('previous');

/** A line for each repository. */
export const keyLines = (found: readonly KeyFinding[]): string[] =>
  found.map(({ name, opens }) => `${name}: ${wordsOf(opens)}`);

function wordsOf(opens: ReadonlySet<SecretLabel>): string {
  if (opens.size === 0) return 'no known password opens it: restore its keys with holdfast vault rewind';
  if (!opens.has('current')) return 'the current password does not open it: run holdfast vault rotate-key';
  if (opens.has('previous')) return 'the previous password also opens it: run holdfast vault rotate-key';
  return opens.has('pending') ? 'in order; a rotation is in progress' : 'in order';
}
