import pMap from 'p-map';
import type { LabelledVersions } from '../functions/adapters/secrets/versions.ts';
import type { SecretLabel } from '../functions/core/vault/key-rotation.ts';
import { openedBy, type RepositoryKeys } from './rotate-key.ts';

export interface KeyFinding {
  readonly name: string;
  readonly opens: ReadonlySet<SecretLabel>;
}

/** Which passwords open each repository. */
export const lookAtKeys = (
  repositories: readonly RepositoryKeys[],
  versions: LabelledVersions,
): Promise<KeyFinding[]> =>
  pMap(repositories, async (keys) => ({ name: keys.name, opens: await openedBy(keys, versions) }), {
    concurrency: 2,
  });

/** The present password opens it, and no older one. */
export const isInOrder = ({ opens }: KeyFinding): boolean => opens.has('current') && !opens.has('previous');

/** A line for each repository. */
export const keyLines = (found: readonly KeyFinding[]): string[] =>
  found.map(({ name, opens }) => `${name}: ${wordsOf(opens)}`);

function wordsOf(opens: ReadonlySet<SecretLabel>): string {
  if (opens.size === 0) return 'no password that is known opens it: holdfast vault rewind brings keys back';
  if (!opens.has('current')) return 'the present password does not open it: run holdfast vault rotate-key';
  if (opens.has('previous')) return 'an older password opens it as well: run holdfast vault rotate-key';
  return opens.has('pending') ? 'in order; a rotation is under way' : 'in order';
}
