import type { ArchivedName } from '../../core/backup/archive.ts';
import { parseLossless } from '../../core/bytes/lossless-json.ts';
import { collectionPath, type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { fieldManagersOf } from '../../core/restore/field-managers.ts';
import { typeOfItem } from '../../core/restore/restore-plan.ts';
import type { KubeClient, KubeResponse } from '../../ports/kubernetes.ts';
import { finishCreated, restoresStatus } from './created-object.ts';
import { settleExisting } from './existing-object.ts';
import { messageIn, passingOf, REFUSALS } from './failures.ts';
import { takenBy } from './taken.ts';
import { apiVersionOf, candidatesOf } from './versions.ts';
import type { Ending, Looked, PutContext, Wanted } from './wanted.ts';

/**
 * Creates an object, or applies the restore's policy to the existing one. `looked`: the existing object; `absent` if it is known
 * that there is none; `unknown` if nobody looked.
 */
export async function putObject(
  context: PutContext,
  wanted: Wanted,
  looked: Exclude<Looked, 'look'>,
): Promise<Ending> {
  if (typeof looked === 'object') return settleExisting(context, wanted, looked);
  if (wanted.held !== undefined) return { result: 'held', reason: wanted.held };
  const { answer, at } = await post(context, wanted);
  const sent = { ...wanted, at };
  if (answer.status < 400)
    return finishCreated(context, sent, parseLossless(answer.body.toString('utf8')) as KubeObject);
  const reason = messageIn(answer);
  if (answer.status === 429) return { result: 'failed', reason, passing: 'later', busy: true };
  const exists = answer.status === 409 && /already exists/i.test(reason);
  // A refusal for any reason of an object that is there does not matter: what is there is compared.
  if (exists || looked === 'unknown') {
    const live = await findObject(context.cluster, wanted.at);
    if (typeof live === 'object') return settleExisting(context, wanted, live);
    if (exists && live === 'absent')
      return { result: 'failed', reason: 'was deleted during the restore', passing: 'soon' };
  }
  const taken = await takenBy(context.cluster, reason, wanted.object);
  const said = at.version === wanted.at.version ? reason : `${reason} (as ${at.version})`;
  return {
    result: 'failed',
    reason: `${unserved(wanted)}${said}${taken}`,
    passing: passingOf(answer, reason),
  };
}

const unserved = ({ archived, type }: Wanted): string => {
  const version = String(archived.apiVersion ?? '')
    .split('/')
    .at(-1);
  return type.versions === undefined || type.versions.includes(version ?? '')
    ? ''
    : `version ${version} is not served any more: `;
};

/** An existing object with its long numbers; `unknown` if the API of its type fails. */
export async function findObject(cluster: KubeClient, at: ArchivedName): Promise<Exclude<Looked, 'look'>> {
  const { status, body } = await cluster.call('GET', objectPath(typeOfItem(at), at.name, at.namespace), {
    accept: REFUSALS,
  });
  if (status === 404) return 'absent';
  return status >= 400 ? 'unknown' : (parseLossless(body.toString('utf8')) as KubeObject);
}

/** Sends an object in the versions that it can have, until one takes it. Returns the first refusal if none does. */
async function post(
  { cluster, options }: PutContext,
  { at, type, object, status, archived }: Wanted,
): Promise<{ answer: KubeResponse; at: ArchivedName }> {
  const { versions, strict } = candidatesOf(at, archived, type);
  const { createAs } = fieldManagersOf(archived);
  const query = {
    ...(createAs !== undefined && { fieldManager: createAs }),
    ...(strict && { fieldValidation: 'Strict' }),
  };
  const inBody = !type.hasStatus && status !== undefined && restoresStatus(options, at);
  let refused: { answer: KubeResponse; at: ArchivedName } | undefined;
  for (const version of versions) {
    const to = { ...at, version };
    const body = { ...object, apiVersion: apiVersionOf(to), ...(inBody && { status }) };
    const answer = await cluster.call('POST', collectionPath(typeOfItem(to), at.namespace), {
      query,
      body,
      accept: REFUSALS,
    });
    if (answer.status < 400 || ![400, 404, 422].includes(answer.status)) return { answer, at: to };
    // The body of an answer lives in a buffer of its own.
    refused ??= { answer, at: to };
  }
  return refused as { answer: KubeResponse; at: ArchivedName };
}
