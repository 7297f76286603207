import { messageOf } from '../../contract/holdfast-error.ts';
import { groupResource, type ResourceType } from '../../core/kubernetes/resources.ts';
import type { Served, ServedType } from '../../core/kubernetes/served.ts';
import type { KubeClient, Patience } from '../../ports/kubernetes.ts';
import {
  AGGREGATED_MEDIA_TYPE,
  type GroupVersion,
  readGroup,
  readGroups,
  readTypes,
} from './discovery-documents.ts';

/** An aggregated API answers for its group. It must not hold up all others. */
const GROUP_PATIENCE: Patience = { timeoutMs: 10_000, tries: 3 };

export interface Discovery {
  readonly types: ResourceType[];
  /** `plural.group` of the types that have no verb `create`: nobody can make their objects again. */
  readonly readOnly: string[];
  /** Groups that could not be read, as `<group>/<version> (<reason>)`. */
  readonly unreadable: string[];
}

/** What the API server serves, and the groups that could not be read, as `<group>/<version> (<reason>)`. */
export interface ServedDiscovery {
  readonly served: Served;
  readonly unreadable: string[];
}

/**
 * Whether a group is of interest, given the types that could be read. Other groups are not asked for their types, and
 * are not unreadable.
 */
export type WantedGroup = (group: string, known: readonly ServedType[]) => boolean;

/**
 * Every served, listable type at its group's preferred version, or at the first version that serves it.
 *
 * @throws as discoverServed.
 */
export async function discover(client: KubeClient, wanted?: WantedGroup): Promise<Discovery> {
  const { served, unreadable } = await discoverServed(client, wanted);
  const types = [...served.values()].flatMap((versions) => versions.find(isListable) ?? []);
  return {
    types: types.map(plain),
    readOnly: [...served]
      .filter(([, versions]) => !versions.some((v) => v.verbs.includes('create')))
      .map(([name]) => name),
    unreadable,
  };
}

/**
 * Every type that the API server serves, in every version. Two requests, and one more for each version of a group whose
 * types the API server does not know at the moment.
 *
 * @throws HoldfastError ClusterUnreachable, ClusterBusy or ClusterAccessDenied when the API server itself does not answer:
 * a group is unreadable only while the API server is not.
 */
export async function discoverServed(
  client: KubeClient,
  wanted: WantedGroup = () => true,
): Promise<ServedDiscovery> {
  const { body: core } = await client.call('GET', '/api/v1');
  const { body } = await client.call('GET', '/apis', { mediaType: AGGREGATED_MEDIA_TYPE });
  const all: Looked[] = [{ group: '', version: 'v1', types: readTypes('', 'v1', core) }, ...readGroups(body)];
  const known = all.flatMap((v) => v.types ?? []);
  const looked = await Promise.all(
    all.map((v) => (v.types || !wanted(v.group, known) ? v : lookAt(client, v))),
  );
  if (looked.some((v) => v.failure)) await client.call('GET', '/api/v1');
  const types = looked.flatMap((v) => v.types ?? []);
  return {
    served: Map.groupBy(types, groupResource),
    unreadable: looked.flatMap(({ group, version, failure }) =>
      failure !== undefined && wanted(group, types) ? [`${group}/${version} (${failure})`] : [],
    ),
  };
}

/** A version of a group after a look at it. `failure`: why its types could not be read. */
interface Looked extends GroupVersion {
  readonly failure?: string;
}

async function lookAt(client: KubeClient, { group, version }: GroupVersion): Promise<Looked> {
  try {
    return { group, version, types: await typesOf(client, group, version) };
  } catch (error) {
    if (await isGone(client, group, version, error)) return { group, version, types: [] };
    return { group, version, failure: messageOf(error) };
  }
}

/** Whether a version was removed from its group after the groups had been listed. */
async function isGone(client: KubeClient, group: string, version: string, error: unknown): Promise<boolean> {
  if ((error as { status?: number }).status !== 404) return false;
  try {
    return !(await versionsOf(client, group)).some((v) => v.version === version);
  } catch {
    return false;
  }
}

async function versionsOf(client: KubeClient, group: string): Promise<GroupVersion[]> {
  const options = { accept: [404], patience: GROUP_PATIENCE };
  const { status, body } = await client.call('GET', `/apis/${group}`, options);
  return status === 404 ? [] : readGroup(body);
}

const typesOf = async (client: KubeClient, group: string, version: string): Promise<ServedType[]> => {
  const { body } = await client.call('GET', `/apis/${group}/${version}`, { patience: GROUP_PATIENCE });
  return readTypes(group, version, body);
};

/**
 * A type as its group serves it now, in each version in which it can be listed, the preferred one first; none if it is no
 * longer served.
 *
 * @throws HoldfastError of the client, or SyntaxError, when the group cannot be read.
 */
export async function servedNow(
  client: KubeClient,
  { group, resource }: ResourceType,
): Promise<ResourceType[]> {
  const now = group === '' ? readTypes('', 'v1', (await client.call('GET', '/api/v1')).body) : [];
  if (group !== '')
    for (const { version } of await versionsOf(client, group))
      now.push(...(await typesOf(client, group, version)));
  return now.filter((type) => type.resource === resource && isListable(type)).map(plain);
}

const isListable = ({ verbs }: ServedType): boolean => verbs.includes('list') && verbs.includes('get');

const plain = ({ group, version, resource, kind, namespaced }: ServedType): ResourceType => ({
  group,
  version,
  resource,
  kind,
  namespaced,
});
