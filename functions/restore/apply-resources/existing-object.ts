import type { ArchivedName } from '../../core/backup/archive.ts';
import { isSameJson } from '../../core/bytes/json-value.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import { type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import {
  labelValue,
  mergedAccount,
  RESTORE_LABEL,
  UPDATED_ANNOTATION,
  withAddedSubjects,
} from '../../core/restore/clean.ts';
import { differences, differencesIn, textOf, valueAt } from '../../core/restore/compare.ts';
import { heldUpdate } from '../../core/restore/dangerous.ts';
import { changeToward, driftOfExisting, type ExistingDrift } from '../../core/restore/existing.ts';
import { typeOfItem } from '../../core/restore/restore-plan.ts';
import type { KubeResponse } from '../../ports/kubernetes.ts';
import { finishCreated, typeMeta } from './created-object.ts';
import { messageIn, passingOf, REFUSALS } from './failures.ts';
import type { Ending, PutContext, Wanted } from './wanted.ts';

/** Applies the restore's policy to an object that is there. What is there and equal is `unchanged`, whatever the policy. */
export async function settleExisting(context: PutContext, wanted: Wanted, seen: KubeObject): Promise<Ending> {
  const { restore, options } = context;
  const { at, object, archived, held } = wanted;
  const live: KubeObject = { ...seen, ...typeMeta(object) };
  const { deletionTimestamp, annotations = {}, labels = {} } = live.metadata;
  if (deletionTimestamp)
    return { result: 'failed', reason: 'the existing object is still being deleted', passing: 'later' };
  // Written by an earlier call of this step that was killed.
  if (annotations?.[UPDATED_ANNOTATION] === restore)
    return { result: 'updated', reason: 'differed', ...differing(differencesIn(at, object, live)) };
  if (labels?.[RESTORE_LABEL] === labelValue(restore)) return finishCreated(context, wanted, live);
  if (wanted.isBare) return { result: 'unchanged', reason: 'already exists' };
  const drift = driftOfExisting({ at, wanted: object, archived, live });
  const places = [...drift.changed, ...drift.added].map(textOf);
  if (places.length === 0) return { result: 'unchanged', reason: 'already exists, and is the same' };
  const differs = `differs in ${some(places)}`;
  if (options.existingResources === 'fail')
    return { result: 'failed', reason: `already exists, and ${differs}` };
  const change = (body: Record<string, unknown>, aim?: Aim) =>
    update(context, wanted, { body, places, ...(aim && { aim }) });
  if (wanted.movesReferences) {
    const added = addedSubjects(at, live, object);
    if (added === 'none') return { result: 'unchanged', reason: 'already exists, and has its subjects' };
    if (held !== undefined) return { result: 'held', reason: held };
    if (added) return change(added);
    const reason = `already exists for the original namespace, and is left alone; ${differs}`;
    return { result: 'skipped', reason };
  }
  if (options.existingResources === 'update') {
    const reason = held ?? heldUpdate(at, { live, wanted: object }, options);
    return reason === undefined
      ? change(changeToward({ wanted: object, live }, drift), { live, drift })
      : { result: 'held', reason };
  }
  // As in Velero: a default account exists before any restore, and needs the names of its pull secrets.
  const merged = mergedAccount(live, object);
  if (at.groupResource === 'serviceaccounts' && held === undefined && differences(merged, live).length > 0)
    return change({ ...merged });
  return { result: 'skipped', reason: `already exists, and ${differs}` };
}

/**
 * The change that adds the subjects of the copy to a binding of the original namespace; `none` if it has them; undefined for
 * another type, or for a binding of another role.
 */
function addedSubjects(
  { groupResource }: ArchivedName,
  live: KubeObject,
  wanted: KubeObject,
): Record<string, unknown> | 'none' | undefined {
  if (!/^(cluster)?rolebindings\.rbac\.authorization\.k8s\.io$/.test(groupResource)) return undefined;
  if (differences(wanted.roleRef, live.roleRef).length > 0) return undefined;
  const { metadata, subjects } = withAddedSubjects(live, wanted);
  const had = Array.isArray(live.subjects) ? live.subjects.length : 0;
  return subjects.length === had ? 'none' : { metadata, subjects };
}

const differing = (differs: readonly string[]): Pick<Ending, 'differs'> =>
  differs.length > 0 ? { differs } : {};

/** What the API server says of fields that cannot be changed. */
const FIXED =
  /immutable|may not (be )?change|cannot be changed|updates to .* are forbidden|forbidden: .*updates? /i;

/** What an update is to make of an object: the object before it, and how it differs. */
interface Aim {
  readonly live: KubeObject;
  readonly drift: ExistingDrift;
}

interface UpdateContext {
  readonly body: Record<string, unknown>;
  /** Paths that differ. */
  readonly places: readonly string[];
  /** Absent: the update only adds to the object. */
  readonly aim?: Aim;
}

/** Sends a merge patch. What cannot be changed is named, and the labels and annotations are changed without it. */
async function update(
  context: PutContext,
  wanted: Wanted,
  { body, places, aim }: UpdateContext,
): Promise<Ending> {
  const marked = markedBy(context.restore, body);
  const answer = await patch(context, wanted.at, marked);
  if (answer.status < 400) return updated(wanted, answer, { places, ...(aim && { aim }) });
  const reason = messageIn(answer);
  if (answer.status !== 429 && FIXED.test(reason))
    return updateMetadata(context, wanted, marked, places, reason);
  return { result: 'failed', reason, passing: passingOf(answer, reason) };
}

/** The API server may take a change and leave a field as it is, like the address of a Service. */
function updated(
  { at }: Wanted,
  { body }: KubeResponse,
  { places, aim }: Omit<UpdateContext, 'body'>,
): Ending {
  const reason = `differed in ${some(places)}`;
  if (!aim) return { result: 'updated', reason };
  const now = parseLossless(body.toString('utf8'));
  const left = [...aim.drift.changed, ...aim.drift.added]
    .filter((place) => isSameJson(valueAt(now, place), valueAt(aim.live, place)))
    .map(textOf);
  if (at.groupResource === 'services' && left.length > 0)
    return { result: 'failed', reason: `${some(left)} cannot be changed. ${REMEDY}` };
  return { result: 'updated', reason, ...differing(left) };
}

const REMEDY = 'To have it as it was, delete it and restore again';

async function updateMetadata(
  context: PutContext,
  wanted: Wanted,
  marked: Record<string, unknown>,
  places: readonly string[],
  said: string,
): Promise<Ending> {
  const isOfMetadata = (path: string) => path.startsWith('metadata.');
  const fixed = places.filter((path) => !isOfMetadata(path));
  const reason = `cannot be changed: ${said}. ${REMEDY}`;
  if (wanted.at.groupResource === 'services') return { result: 'failed', reason };
  if (fixed.length === places.length) return { result: 'skipped', reason, differs: fixed };
  const answer = await patch(context, wanted.at, { metadata: marked.metadata });
  if (answer.status >= 400)
    return { result: 'failed', reason: messageIn(answer), passing: passingOf(answer, messageIn(answer)) };
  return {
    result: 'updated',
    reason: `differed in ${some(places.filter(isOfMetadata))}; ${reason}`,
    differs: fixed,
  };
}

/** Marks a change with its restore, so that an object that existed before is never taken for a created one. */
function markedBy(restore: string, { metadata, ...body }: Record<string, unknown>): Record<string, unknown> {
  const { annotations, ...rest } = (metadata ?? {}) as Partial<KubeObject['metadata']>;
  return { ...body, metadata: { ...rest, annotations: { ...annotations, [UPDATED_ANNOTATION]: restore } } };
}

const patch = ({ cluster }: PutContext, at: ArchivedName, body: Record<string, unknown>) =>
  cluster.call('PATCH', objectPath(typeOfItem(at), at.name, at.namespace), {
    body,
    contentType: 'application/merge-patch+json',
    accept: REFUSALS,
  });

const some = (paths: readonly string[]): string =>
  paths.length <= 3 ? paths.join(', ') : `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more`;
