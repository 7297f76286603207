import { messageOf } from '../../contract/holdfast-error.ts';
import { groupResource, type ResourceType } from '../../core/kubernetes/resources.ts';
import type { Served, ServedType } from '../../core/kubernetes/served.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
}

export interface Discovery {
  readonly types: ResourceType[];
  /** Groups that could not be read, as `<group>/<version> (<reason>)`. */
  readonly unreadable: string[];
}

/** What the API server serves, and the groups that could not be read, as `<group>/<version> (<reason>)`. */
export interface ServedDiscovery {
  readonly served: Served;
  readonly unreadable: string[];
}

/** Every served, listable type at its group's preferred version, or at the first version that serves it. */
export async function discover(client: KubeClient): Promise<Discovery> {
  const { served, unreadable } = await discoverServed(client);
  const listable = ({ verbs }: ServedType) => verbs.includes('list') && verbs.includes('get');
  const types = [...served.values()].flatMap((versions) => versions.find(listable) ?? []);
  return {
    types: types.map(({ group, version, resource, kind, namespaced }) => ({
      group,
      version,
      resource,
      kind,
      namespaced,
    })),
    unreadable,
  };
}

/** Every type that the API server serves, in every version. */
export async function discoverServed(client: KubeClient): Promise<ServedDiscovery> {
  const core = await client.call('GET', '/api/v1');
  const groups = JSON.parse((await client.call('GET', '/apis')).body.toString('utf8')) as {
    groups: { name: string; versions: { version: string }[]; preferredVersion: { version: string } }[];
  };
  const unreadable: string[] = [];
  const found = await Promise.all(
    groups.groups.map(async ({ name, versions, preferredVersion }) => {
      const preferred = preferredVersion.version;
      const order = [preferred, ...versions.map((v) => v.version).filter((v) => v !== preferred)];
      const types: ServedType[] = [];
      for (const version of order) {
        try {
          const { body } = await client.call('GET', `/apis/${name}/${version}`);
          types.push(...servedTypes(name, version, body));
        } catch (error) {
          unreadable.push(`${name}/${version} (${messageOf(error)})`);
        }
      }
      return types;
    }),
  );
  const all = [...servedTypes('', 'v1', core.body), ...found.flat()];
  return { served: Map.groupBy(all, groupResource), unreadable };
}

function servedTypes(group: string, version: string, body: Buffer): ServedType[] {
  const { resources } = JSON.parse(body.toString('utf8')) as { resources: ApiResource[] };
  const names = new Set(resources.map((r) => r.name));
  return resources
    .filter((r) => !r.name.includes('/'))
    .map(({ name, kind, namespaced, verbs }) => ({
      group,
      version,
      resource: name,
      kind,
      namespaced,
      verbs,
      hasStatus: names.has(`${name}/status`),
    }));
}
