import * as z from 'zod/mini';
import type { ResourceType } from '../kubernetes/resources.ts';
import { TYPES } from '../kubernetes/well-known.ts';

/** Types of the objects that a run makes in the cluster, by the first part of their slot. */
export const MADE_TYPES = {
  job: TYPES.jobs,
  snapshot: TYPES.volumeSnapshots,
  claim: TYPES.persistentVolumeClaims,
} as const satisfies Record<string, ResourceType>;

/** What an object is for: the Job of an attempt at a piece of work, or the snapshot or the temporary claim of a volume. */
export type Slot =
  | { readonly kind: 'job'; readonly id: string; readonly attempt: number }
  | { readonly kind: 'snapshot' | 'claim'; readonly id: string };

/**
 * An object that a run has made in the cluster. `uid`: absent until the API server has answered. Only the object with this
 * namespace, name and uid is Holdfast's; labels and annotations are for people.
 */
export const MadeObject = z.strictObject({
  namespace: z.string(),
  /** Random, so that nobody can take it beforehand. */
  name: z.string(),
  uid: z.optional(z.string()),
  /** ISO 8601. */
  madeAt: z.string(),
  /** Of a Job: number of credential sets that it has had. */
  session: z._default(z.int(), 1),
});
export type MadeObject = z.infer<typeof MadeObject>;

/** File name of a slot's document in the vault. */
export const slotFile = (slot: Slot): string =>
  slot.kind === 'job' ? `job.${slot.attempt}.${slot.id}.json` : `${slot.kind}.${slot.id}.json`;

/** The slot of a document; undefined for other files. */
export function parseSlot(file: string): Slot | undefined {
  const job = /^job\.([1-9]\d{0,3})\.(.+)\.json$/.exec(file);
  if (job) return { kind: 'job', attempt: Number(job[1]), id: job[2] as string };
  const [, kind, id] = /^(snapshot|claim)\.(.+)\.json$/.exec(file) ?? [];
  return id === undefined ? undefined : { kind: kind as 'snapshot' | 'claim', id };
}

/** Outcome of work whose object cannot be made, because another object has its name. */
export const takenName = (
  kind: string,
  { namespace, name }: Pick<MadeObject, 'namespace' | 'name'>,
): string => `the name ${namespace}/${name} is taken by a ${kind} that Holdfast did not make`;

/** Outcome of work whose object is no longer there, or is another one of the same name. */
export const lostObject = (
  kind: string,
  { namespace, name }: Pick<MadeObject, 'namespace' | 'name'>,
): string => `its ${kind} ${namespace}/${name} was removed or replaced by somebody else`;
