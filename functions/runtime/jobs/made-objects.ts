import { randomBytes } from 'node:crypto';
import pMap from 'p-map';
import {
  createObject,
  findOwn,
  type OwnObject,
  removeOwn,
  uidAt,
} from '../../adapters/kubernetes/own-objects.ts';
import { createJson, decode, encode } from '../../adapters/s3/documents.ts';
import { HoldfastError } from '../../contract/holdfast-error.ts';
import {
  MADE_TYPES,
  MadeObject,
  parseSlot,
  type Slot,
  slotFile,
  takenName,
} from '../../core/jobs/made-object.ts';
import type { KubeObject } from '../../core/kubernetes/resources.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import type { Vault } from '../../ports/vault.ts';

const CONCURRENCY = 8;

/** The command that prints the right to create an object. */
const RIGHTS = {
  job: '`holdfast rbac`',
  snapshot: '`holdfast rbac --snapshots`',
  claim: '`holdfast rbac --snapshots`',
} as const;

/** Names that are tried for one object. */
const TRIES = 2;

/** An object of a run, as the vault has it. */
export type RunObject = MadeObject & { readonly slot: Slot };

/** An object of a run whose uid is known. */
export type Own = RunObject & OwnObject;

/** The object of a slot, or why there is none. `refused`: a readable message. */
export type Made = { readonly own: Own } | { readonly refused: string };

/**
 * The objects that one run has in the cluster, by the word of the vault and not of the cluster. A document is written before
 * its object is created, completed with the uid of the response, and removed after the object.
 */
export interface MadeObjects {
  /** The slots of all objects that the run may have in the cluster. */
  slots(): Promise<Slot[]>;
  /** The object of a slot; undefined if the run has none. */
  get(slot: Slot): Promise<RunObject | undefined>;
  /** Creates the object of a slot, unless this was done before. An object that somebody else made is never adopted. */
  make(slot: Slot, namespace: string, manifest: (name: string) => KubeObject): Promise<Made>;
  /** The live object; undefined if it is gone or another object has its name. */
  live(own: OwnObject & { readonly slot: Slot }): Promise<KubeObject | undefined>;
  /** Notes that a Job has had this number of credential sets. */
  noteSession(slot: Slot, session: number): Promise<void>;
  /** Removes an object. Returns whether it is gone; with `after: 'dependents'`, whether its pods are gone too. */
  remove(object: RunObject, after?: 'dependents'): Promise<boolean>;
}

/** What objects are made with. */
export interface MadeContext {
  readonly cluster: KubeClient;
  readonly vault: Vault;
  readonly now: Date;
}

/** Objects of the run with this folder in the vault. `dir` ends with a slash. */
export function madeObjects({ cluster, vault, now }: MadeContext, dir: string): MadeObjects {
  const keyOf = (slot: Slot) => `${dir}${slotFile(slot)}`;

  const find = (slot: Slot) => findMade(vault, keyOf(slot));

  /**
   * Creates the object under a name that was written down before. `taken`: an object has the name. `changed`: another call
   * works on the same slot.
   */
  async function create(
    slot: Slot,
    { made, etag }: Written,
    manifest: (name: string) => KubeObject,
  ): Promise<Made | 'taken' | 'changed'> {
    const type = MADE_TYPES[slot.kind];
    const answer = await createObject(cluster, type, manifest(made.name));
    if (answer === 'taken') return answer;
    if ('refused' in answer) {
      await vault.remove([keyOf(slot)]);
      const hint = answer.denied ? `; apply the output of ${RIGHTS[slot.kind]} to the cluster` : '';
      return { refused: `the cluster rejects its ${type.kind}: ${answer.refused}${hint}` };
    }
    const own = { ...made, uid: answer.uid };
    if (await vault.putIf(keyOf(slot), encode(own), etag)) return { own: { ...own, slot } };
    await removeOwn(cluster, type, own);
    return 'changed';
  }

  /** The document of a slot; a new one with a name that nobody can know, if there is none. */
  async function begin(slot: Slot, namespace: string): Promise<Written> {
    const found = await find(slot);
    if (found) return found;
    await createJson(vault, keyOf(slot), newDocument(namespace));
    return begin(slot, namespace);
  }

  const newDocument = (namespace: string) => ({
    namespace,
    name: `holdfast-${randomBytes(8).toString('hex')}`,
    madeAt: now.toISOString(),
  });

  /**
   * Gives a slot another name. A call may have been killed before it could write down the uid: what has the name now has done
   * nothing yet, and cannot be told from an object that somebody put in its place.
   */
  async function rename(slot: Slot, { made, etag }: Written): Promise<void> {
    if ((await find(slot))?.etag !== etag) return; // another call was faster
    const uid = await uidAt(cluster, MADE_TYPES[slot.kind], made);
    if (uid !== undefined) await removeOwn(cluster, MADE_TYPES[slot.kind], { ...made, uid });
    await vault.putIf(keyOf(slot), encode(newDocument(made.namespace)), etag);
  }

  return {
    ...documentsIn(vault, dir),

    async make(slot, namespace, manifest) {
      const { kind } = MADE_TYPES[slot.kind];
      let last: 'taken' | 'changed' = 'changed';
      for (let tries = 1; ; tries++) {
        const written = await begin(slot, namespace);
        const { made } = written;
        if (made.uid !== undefined) return { own: { ...made, uid: made.uid, slot } };
        if (tries > TRIES) {
          if (last === 'changed') throw busy(kind, made);
          await vault.remove([keyOf(slot)]);
          return { refused: takenName(kind, made) };
        }
        const result = await create(slot, written, manifest);
        if (typeof result !== 'string') return result;
        if (result === 'taken') await rename(slot, written);
        last = result;
      }
    },

    live: (own) => findOwn(cluster, MADE_TYPES[own.slot.kind], own),

    async noteSession(slot, session) {
      const found = await find(slot);
      if (found) await vault.putIf(keyOf(slot), encode({ ...found.made, session }), found.etag);
    },

    async remove({ slot, ...made }, after) {
      const type = MADE_TYPES[slot.kind];
      const uid = made.uid ?? (await uidAt(cluster, type, made));
      const gone = uid === undefined || (await removeOwn(cluster, type, { ...made, uid }, after));
      if (gone) await vault.remove([keyOf(slot)]);
      return gone;
    },
  };
}

/** The document of a slot, as it was read. */
interface Written {
  readonly made: MadeObject;
  readonly etag: string;
}

const busy = (kind: string, { namespace, name }: MadeObject): HoldfastError =>
  new HoldfastError('ClusterBusy', `another call is making the ${kind} ${namespace}/${name}`);

async function findMade(vault: Pick<Vault, 'find'>, key: string): Promise<Written | undefined> {
  const found = await vault.find(key);
  const hint = 'Remove it, and the object that it names from the cluster';
  return found && { made: decode(MadeObject, key, found.body, hint), etag: found.etag };
}

/** The part of MadeObjects that needs no cluster. */
type MadeDocuments = Pick<MadeObjects, 'slots' | 'get'>;

const documentsIn = (vault: Pick<Vault, 'find' | 'list'>, dir: string): MadeDocuments => ({
  async slots() {
    const slots: Slot[] = [];
    for await (const { key } of vault.list(dir)) {
      const slot = parseSlot(key.slice(dir.length));
      if (slot) slots.push(slot);
    }
    return slots;
  },
  async get(slot) {
    const found = await findMade(vault, `${dir}${slotFile(slot)}`);
    return found && { ...found.made, slot };
  },
});

/** The objects that a run has by these kinds. */
export async function objectsOf(made: MadeDocuments, kinds: readonly Slot['kind'][]): Promise<RunObject[]> {
  const slots = (await made.slots()).filter((slot) => kinds.includes(slot.kind));
  const found = await pMap(slots, made.get, { concurrency: CONCURRENCY });
  return found.filter((o) => o !== undefined);
}

/**
 * Whether a Job of a run may still be running, for callers without access to the cluster: one was created, is not known to be
 * removed, and its deadline has not passed.
 */
export async function mayRun(
  { vault, now }: Pick<MadeContext, 'vault' | 'now'>,
  dir: string,
  deadlineSeconds: number,
): Promise<boolean> {
  const since = now.getTime() - (deadlineSeconds + GRACE_SECONDS) * 1000;
  return (await objectsOf(documentsIn(vault, dir), ['job'])).some((o) => Date.parse(o.madeAt) > since);
}

/** Between the creation of a Job and its start, and between its deadline and the end of its pod. */
const GRACE_SECONDS = 15 * 60;

/** Removes everything that a run has in the cluster. Returns how many objects are not gone yet. */
export async function removeAll(made: MadeObjects, after?: 'dependents'): Promise<number> {
  let left = 0;
  // Jobs before the claims that they mount, and claims before the snapshots that they were created from.
  for (const kind of ['job', 'claim', 'snapshot'] as const)
    for (const object of await objectsOf(made, [kind])) if (!(await made.remove(object, after))) left++;
  return left;
}
