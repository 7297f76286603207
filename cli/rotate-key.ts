import pMap from 'p-map';
import type { LabelledVersions, VersionedSecret } from '../functions/adapters/secrets/versions.ts';
import {
  NEEDED,
  nextKeyStep,
  rotationPhase,
  type SecretLabel,
} from '../functions/core/vault/key-rotation.ts';

/** Each call of restic takes 64 MiB and a core for its password. */
const CONCURRENCY = 2;
/** Steps in one repository: passwords to add, and keys of old ones to remove. More are a loop without an end. */
const MOST_STEPS = 40;

/** The keys of one repository in one copy. Passwords are derived from master secrets by whoever implements this. */
export interface RepositoryKeys {
  /** As a person says it: `shop in BUCKET`. */
  readonly name: string;
  opens(master: string): Promise<boolean>;
  add(master: string, of: string): Promise<void>;
  /** Removes the one key that the password of `of` finds. */
  remove(master: string, of: string): Promise<void>;
}

export interface Rotation {
  readonly secret: VersionedSecret;
  /** By repository: its copies, that from which replication copies first. */
  readonly repositories: readonly (readonly RepositoryKeys[])[];
  newSecret(): string;
  /** Who may still use the old passwords, in words. */
  atWork(): Promise<readonly string[]>;
  say(line: string): void;
}

/** Changes the master secret and every password made from it. Stopped at any moment, the next call goes on. */
export async function rotateKey(rotation: Rotation): Promise<void> {
  const { secret, say } = rotation;
  let versions = await secret.read();
  if (phaseOf(versions) === 'propose') {
    await secret.propose(rotation.newSecret(), versions.current);
    versions = await secret.read();
    say(`${secret.name} has a pending version`);
  } else say(`${secret.name} has a pending version: a rotation that was begun goes on`);
  if (phaseOf(versions) === 'add' && versions.pending) {
    await bring(rotation, versions, NEEDED.add);
    await secret.promote(versions.pending, versions.current);
    versions = await secret.read();
    say('the new password opens every repository: its secret is now the current one');
  }
  const work = await rotation.atWork();
  if (work.length > 0)
    throw new Error(
      `the old passwords stay for now: ${work.join('; ')}. Run this again when that has ended, or with --force`,
    );
  await bring(rotation, versions, NEEDED.clear);
  await secret.settle(versions.current);
  say('the old password opens no repository any more');
}

const phaseOf = ({ current, pending }: LabelledVersions) => rotationPhase(current.id, pending?.id);

/** Brings every repository to where the needed passwords open it and the previous one does not. */
async function bring(
  { repositories, say }: Rotation,
  versions: LabelledVersions,
  needed: readonly SecretLabel[],
): Promise<void> {
  const lost: string[] = [];
  const work = async (copies: readonly RepositoryKeys[]) => {
    // One after the other: what is gone from the copy that is replicated does not come back into the second one.
    for (const copy of copies) if (!(await bringOne(copy, versions, needed, say))) lost.push(copy.name);
  };
  await pMap(repositories, work, { concurrency: CONCURRENCY });
  if (lost.length > 0)
    throw new Error(
      `no password of ${[...new Set(labelsOf(versions))].join(', ')} opens ${lost.sort().join(', ')}. ` +
        'If keys were removed, "holdfast vault rewind" brings them back; to go on without these, name them with --except',
    );
}

/** Labels of different secrets: after the promotion, one is the current and the pending one. */
const labelsOf = ({ current, pending, previous }: LabelledVersions): SecretLabel[] => [
  'current',
  ...(pending && pending.id !== current.id ? (['pending'] as const) : []),
  ...(previous ? (['previous'] as const) : []),
];

/** The secrets whose passwords open a repository. */
export async function openedBy(keys: RepositoryKeys, versions: LabelledVersions): Promise<Set<SecretLabel>> {
  const opens = new Set<SecretLabel>();
  for (const label of labelsOf(versions))
    if (await keys.opens(versions[label]?.value as string)) opens.add(label);
  return opens;
}

/** False when nothing that is known opens it. */
async function bringOne(
  keys: RepositoryKeys,
  versions: LabelledVersions,
  needed: readonly SecretLabel[],
  say: (line: string) => void,
): Promise<boolean> {
  const master = (label: SecretLabel) => versions[label]?.value as string;
  for (let steps = 0; steps < MOST_STEPS; steps++) {
    const step = nextKeyStep(await openedBy(keys, versions), needed);
    if (step.do === 'nothing' || step.do === 'give up') return step.do === 'nothing';
    await keys[step.do](master(step.openedBy), master(step.of));
    say(`${keys.name}: ${step.do === 'add' ? 'added' : 'removed'} the password of the ${step.of} secret`);
  }
  throw new Error(
    `${keys.name} still has keys of the previous password after ${MOST_STEPS} steps: run this again`,
  );
}
