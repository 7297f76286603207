import pMap from 'p-map';
import type { LabelledVersions, VersionedSecret } from '../functions/adapters/secrets/versions.ts';
import {
  NEEDED,
  nextKeyStep,
  rotationPhase,
  type SecretLabel,
} from '../functions/core/vault/key-rotation.ts';

/** Repositories at once: restic needs 64 MiB and a core to derive the key of a password. */
const CONCURRENCY = 2;
/** Limit of steps in one repository (keys to add and to remove), which ends an endless loop. */
const MOST_STEPS = 40;

/** The keys of one repository in one copy. The implementation derives passwords from master secrets. */
export interface RepositoryKeys {
  /** Name for messages: `REPOSITORY in BUCKET`. */
  readonly name: string;
  opens(master: string): Promise<boolean>;
  add(master: string, of: string): Promise<void>;
  /** Removes the key that the password derived from `of` opens. */
  remove(master: string, of: string): Promise<void>;
}

export interface Rotation {
  readonly secret: VersionedSecret;
  /** The copies of each repository, the primary first. */
  readonly repositories: readonly (readonly RepositoryKeys[])[];
  newSecret(): string;
  /** Executions and lease holders that may still use the old passwords, as readable messages. */
  atWork(): Promise<readonly string[]>;
  say(line: string): void;
}

/** Changes the master secret and every password derived from it. If it is interrupted, the next call resumes. */
export async function rotateKey(rotation: Rotation): Promise<void> {
  const { secret, say } = rotation;
  let versions = await secret.read();
  if (phaseOf(versions) === 'propose') {
    await secret.propose(rotation.newSecret(), versions.current);
    versions = await secret.read();
    say(`${secret.name}: created a pending version`);
  } else say(`${secret.name} has a pending version: resuming the rotation`);
  if (phaseOf(versions) === 'add' && versions.pending) {
    await bring(rotation, versions, NEEDED.add);
    await secret.promote(versions.pending, versions.current);
    versions = await secret.read();
    say('the new password opens every repository: the pending version is now the current one');
  }
  const work = await rotation.atWork();
  if (work.length > 0)
    throw new Error(
      `the old passwords are kept: ${work.join('; ')}. Run the command again when it has ended, or with --force`,
    );
  await bring(rotation, versions, NEEDED.clear);
  await secret.settle(versions.current);
  say('the old password no longer opens any repository');
}

const phaseOf = ({ current, pending }: LabelledVersions) => rotationPhase(current.id, pending?.id);

/** Changes the keys of every repository until the needed passwords open it and the previous one does not. */
async function bring(
  { repositories, say }: Rotation,
  versions: LabelledVersions,
  needed: readonly SecretLabel[],
): Promise<void> {
  const lost: string[] = [];
  const work = async (copies: readonly RepositoryKeys[]) => {
    // In sequence: a key that is removed from the primary first cannot be replicated to the replica again.
    for (const copy of copies) if (!(await bringOne(copy, versions, needed, say))) lost.push(copy.name);
  };
  await pMap(repositories, work, { concurrency: CONCURRENCY });
  if (lost.length > 0)
    throw new Error(
      `no password (${[...new Set(labelsOf(versions))].join(', ')}) opens ${lost.sort().join(', ')}. ` +
        'If keys were deleted, restore them with "holdfast vault rewind"; to rotate the others, name these with --except',
    );
}

/** Labels of distinct versions: after the promotion, the current version is also the pending one. */
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

/** Changes the keys of one copy; false if no known password opens it. */
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
    `${keys.name} still has keys of the previous password after ${MOST_STEPS} steps. Run the command again`,
  );
}
