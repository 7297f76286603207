import { statusMessage } from '../../adapters/kubernetes/client.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../../core/backup/archive.ts';
import { namesType } from '../../core/kubernetes/patterns.ts';
import { collectionPath, type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { type Change, mergedAccount, RESTORE_LABEL, UPDATED_ANNOTATION } from '../../core/restore/clean.ts';
import { differencesIn } from '../../core/restore/compare.ts';
import { typeOfItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient, KubeResponse } from '../../ports/kubernetes.ts';
import type { AppliedItem } from '../documents.ts';

/** The result of one object. `again`: a retry may succeed. `busy`: the API server is overloaded. */
export interface Ending extends Pick<AppliedItem, 'result'> {
  readonly reason?: string | undefined;
  readonly again?: boolean;
  readonly busy?: boolean;
}

/** The cluster and the restore that an object is created for. */
interface PutContext {
  readonly cluster: KubeClient;
  readonly restore: string;
  readonly options: RestoreOptions;
}

/** Messages of temporary errors: a retry may succeed once another object exists or is gone. */
const PASSING =
  /not found|could not find the requested resource|no matches for kind|exceeded quota|being terminated|failed calling webhook|being deleted|the object has been modified|connection refused|not yet|try again/i;

/** Creates an object, or applies the restore's policy to the existing one. */
export async function putObject(
  context: PutContext,
  at: ArchivedName,
  wanted: KubeObject,
  status: KubeObject['status'],
): Promise<Ending> {
  const { cluster, options } = context;
  const type = typeOfItem(at);
  const answer = await cluster.call('POST', collectionPath(type, at.namespace), {
    body: wanted,
    accept: [400, 403, 404, 405, 409, 415, 422, 429, 500, 503],
  });
  const ending = await ended(context, at, wanted, answer);
  const restoresStatus = status !== undefined && namesType(options.restoreStatus ?? [], type);
  if (!restoresStatus || (ending.result !== 'created' && ending.result !== 'updated')) return ending;
  const written = await cluster.call('PATCH', `${objectPath(type, at.name, at.namespace)}/status`, {
    body: { status },
    contentType: 'application/merge-patch+json',
    accept: [400, 403, 404, 405, 409, 422],
  });
  return written.status < 400 ? ending : { ...ending, reason: `without its status: ${messageIn(written)}` };
}

async function ended(
  context: PutContext,
  at: ArchivedName,
  wanted: KubeObject,
  answer: KubeResponse,
): Promise<Ending> {
  if (answer.status < 400) return { result: 'created' };
  const reason = messageIn(answer);
  if (answer.status === 429) return { result: 'failed', reason, again: true, busy: true };
  const exists = answer.status === 409 && /already exists/i.test(reason);
  if (!exists) return { result: 'failed', reason, again: answer.status >= 500 || PASSING.test(reason) };
  return existing(context, at, wanted);
}

async function existing(
  { cluster, restore, options }: PutContext,
  at: ArchivedName,
  wanted: KubeObject,
): Promise<Ending> {
  const path = objectPath(typeOfItem(at), at.name, at.namespace);
  const found = await cluster.call('GET', path, { accept: [404] });
  if (found.status === 404)
    return { result: 'failed', reason: 'was deleted during the restore', again: true };
  const live = JSON.parse(found.body.toString('utf8')) as KubeObject;
  if (live.metadata.deletionTimestamp)
    return { result: 'failed', reason: 'the existing object is still being deleted', again: true };
  // Written by an earlier call of this step that was killed.
  if (live.metadata.annotations?.[UPDATED_ANNOTATION] === restore)
    return { result: 'updated', reason: 'differed' };
  if (live.metadata.labels?.[RESTORE_LABEL] === restore) return { result: 'created' };
  const differing = differencesIn(at, wanted, live);
  if (differing.length === 0) return { result: 'unchanged', reason: 'already exists, and is the same' };
  if (options.existingResources === 'fail') return { result: 'failed', reason: 'already exists' };
  const change = (body: Change) => update(cluster, path, markedBy(restore, body), differing);
  if (options.existingResources === 'update') return change(wanted);
  // As in Velero: a default account exists before any restore, and needs the names of its pull secrets.
  if (at.groupResource === 'serviceaccounts') return change(mergedAccount(live, wanted));
  return { result: 'skipped', reason: `already exists, and differs in ${some(differing)}` };
}

/** Marks a change with its restore, so that an object that existed before is never taken for a created one. */
const markedBy = (restore: string, { metadata, ...body }: Change): Change => ({
  ...body,
  metadata: { ...metadata, annotations: { ...metadata.annotations, [UPDATED_ANNOTATION]: restore } },
});

async function update(
  cluster: KubeClient,
  path: string,
  body: Change,
  differing: readonly string[],
): Promise<Ending> {
  const answer = await cluster.call('PATCH', path, {
    body,
    contentType: 'application/merge-patch+json',
    accept: [400, 403, 404, 409, 415, 422, 429],
  });
  if (answer.status < 400) return { result: 'updated', reason: `differed in ${some(differing)}` };
  const reason = messageIn(answer);
  return { result: 'failed', reason, again: answer.status === 429 || PASSING.test(reason) };
}

const some = (paths: readonly string[]): string =>
  paths.length <= 3 ? paths.join(', ') : `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more`;

const messageIn = ({ status, body }: KubeResponse): string => statusMessage(body) || `status ${status}`;
