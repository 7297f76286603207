import { HoldfastError } from '../../core/errors.ts';
import { sliceItems } from '../../core/json-slices.ts';
import {
  apiVersion,
  collectionPath,
  EXCLUDE_LABEL,
  type KubeObject,
  type ResourceType,
} from '../../core/resources.ts';
import type { KubeClient } from './client.ts';

const PAGE = '500';

/** An object as it was sent, and the same parsed for looking at. */
export interface RawObject {
  readonly raw: Buffer;
  readonly object: KubeObject;
}

export interface ListOptions {
  readonly namespace?: string;
  /** Only the object of this name. */
  readonly name?: string;
  /** Read at exactly this instant. */
  readonly resourceVersion?: string;
}

/** The API server cannot (or can no longer) list at the resourceVersion that was asked for. */
export class InstantGone extends Error {
  override readonly name = 'InstantGone';
}

/** Pages of a type's objects that are not excluded by label; `undefined` when the type is not served there. */
export async function* listPages(
  client: KubeClient,
  type: ResourceType,
  options: ListOptions = {},
): AsyncGenerator<RawObject[]> {
  let token = '';
  do {
    const first = token === '' && options.resourceVersion;
    const query = {
      limit: PAGE,
      labelSelector: `${EXCLUDE_LABEL}!=true`,
      ...(options.name && { fieldSelector: `metadata.name=${options.name}` }),
      ...(token && { continue: token }),
      ...(first && { resourceVersion: options.resourceVersion as string, resourceVersionMatch: 'Exact' }),
    };
    const { status, body } = await client.call('GET', collectionPath(type, options.namespace), {
      query,
      accept: [400, 404, 405, 410, 504],
    });
    if (status === 404 || status === 405) return;
    if (status >= 400 && options.resourceVersion) throw new InstantGone(body.toString('utf8').slice(0, 200));
    if (status >= 400)
      throw new HoldfastError(
        'ClusterBusy',
        `list of ${type.resource}: ${status} ${body.toString('utf8').slice(0, 200)}`,
      );
    yield sliceItems(body).map((raw) => ({ raw, object: JSON.parse(raw.toString('utf8')) as KubeObject }));
    token = continueToken(body);
  } while (token);
}

/** All objects of a type, parsed: for the few that Holdfast itself reads. */
export async function listObjects(
  client: KubeClient,
  type: ResourceType,
  namespace?: string,
): Promise<KubeObject[]> {
  const all: KubeObject[] = [];
  for await (const page of listPages(client, type, namespace ? { namespace } : {})) {
    for (const { object } of page) all.push({ ...object, apiVersion: apiVersion(type), kind: type.kind });
  }
  return all;
}

function continueToken(page: Buffer): string {
  // A list's own metadata stands before or after its items; the token is base64url and can stand nowhere else at that depth.
  const meta = JSON.parse(page.toString('utf8')) as { metadata?: { continue?: string } };
  return meta.metadata?.continue ?? '';
}

/** The API server's newest resourceVersion: the one instant of a backup. */
export async function currentResourceVersion(client: KubeClient): Promise<string> {
  const { body } = await client.call('GET', '/api/v1/namespaces', { query: { limit: '1' } });
  return (JSON.parse(body.toString('utf8')) as { metadata: { resourceVersion: string } }).metadata
    .resourceVersion;
}
