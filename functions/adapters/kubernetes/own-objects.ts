import {
  collectionPath,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { statusMessage } from './client.ts';

/** An object in the cluster by its identity: another object of the same name has another uid. */
export interface OwnObject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What the API server says to a new object. `taken`: the name is in use. `refused`: its words. `denied`: for lack of rights. */
export type Creation =
  | { readonly uid: string }
  | { readonly refused: string; readonly denied: boolean }
  | 'taken';

const parse = (body: Buffer): KubeObject => JSON.parse(body.toString('utf8')) as KubeObject;

/** Statuses with which the API server rejects an object for reasons that time does not change. */
const REFUSED = [400, 403, 404, 422];

/** What admission control says with status 403, to which no right is the remedy. */
const ADMISSION = /exceeded quota|denied the request|violates PodSecurity|is being terminated/;

/** Creates an object. Statuses that may pass are thrown as errors. */
export async function createObject(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
): Promise<Creation> {
  const path = collectionPath(type, object.metadata.namespace);
  try {
    const { status, body } = await client.call('POST', path, { body: object, accept: [409, ...REFUSED] });
    if (status === 409) return 'taken';
    if (status < 400) return { uid: String(parse(body).metadata.uid) };
    const refused = statusMessage(body) ?? String(status);
    return { refused, denied: status === 403 && !ADMISSION.test(refused) };
  } catch (error) {
    // The webhook of one namespace must not fail the work of the others.
    const { status, message } = error as { status?: number; message: string };
    if (status === 500 && message.includes('failed calling webhook'))
      return { refused: message, denied: false };
    throw error;
  }
}

/** The object with this identity; undefined if it is gone, is being deleted, or another object has its name. */
export async function findOwn(
  client: KubeClient,
  type: ResourceType,
  { namespace, name, uid }: OwnObject,
): Promise<KubeObject | undefined> {
  const { status, body } = await client.call('GET', objectPath(type, name, namespace), { accept: [404] });
  if (status === 404) return undefined;
  const found = parse(body);
  return found.metadata.uid === uid && !found.metadata.deletionTimestamp ? found : undefined;
}

/** The uid of whatever object has a name; undefined if there is none. */
export async function uidAt(
  client: KubeClient,
  type: ResourceType,
  { namespace, name }: Pick<OwnObject, 'namespace' | 'name'>,
): Promise<string | undefined> {
  const { status, body } = await client.call('GET', objectPath(type, name, namespace), { accept: [404] });
  return status === 404 ? undefined : parse(body).metadata.uid;
}

/**
 * Deletes the object with this identity; another object of the same name stays. Returns whether it is gone. With `after:
 * 'dependents'` it is gone when its pods are.
 */
export async function removeOwn(
  client: KubeClient,
  type: ResourceType,
  { namespace, name, uid }: OwnObject,
  after?: 'dependents',
): Promise<boolean> {
  const path = objectPath(type, name, namespace);
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: after ? 'Foreground' : 'Background',
    preconditions: { uid },
  };
  const { status } = await client.call('DELETE', path, { body, accept: [404, 409] });
  if (status >= 400 || !after) return true;
  return (await uidAt(client, type, { namespace, name })) !== uid;
}

/** Changes the object with this identity by a merge patch. Returns whether it is still there. */
export async function patchOwn(
  client: KubeClient,
  type: ResourceType,
  { namespace, name, uid }: OwnObject,
  patch: object,
): Promise<boolean> {
  const { status, body } = await client.call('PATCH', objectPath(type, name, namespace), {
    // The API server rejects a patch of another object: the uid cannot be changed.
    body: { metadata: { uid }, ...patch },
    contentType: 'application/merge-patch+json',
    accept: [404, 409, 422],
  });
  return status < 400 && parse(body).metadata.uid === uid;
}
