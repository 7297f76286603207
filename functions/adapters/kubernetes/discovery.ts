import { messageOf } from '../../contract/holdfast-error.ts';
import type { ResourceType } from '../../core/kubernetes/resources.ts';
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

/** Every served, listable type at its group's preferred version, or at the first version that serves it. */
export async function discover(client: KubeClient): Promise<Discovery> {
  const core = await client.call('GET', '/api/v1');
  const groups = JSON.parse((await client.call('GET', '/apis')).body.toString('utf8')) as {
    groups: { name: string; versions: { version: string }[]; preferredVersion: { version: string } }[];
  };
  const types = listable('', 'v1', core.body);
  const unreadable: string[] = [];
  const found = await Promise.all(
    groups.groups.map(async ({ name, versions, preferredVersion }) => {
      const preferred = preferredVersion.version;
      const order = [preferred, ...versions.map((v) => v.version).filter((v) => v !== preferred)];
      const seen = new Map<string, ResourceType>();
      for (const version of order) {
        try {
          const { body } = await client.call('GET', `/apis/${name}/${version}`);
          for (const type of listable(name, version, body))
            if (!seen.has(type.resource)) seen.set(type.resource, type);
        } catch (error) {
          unreadable.push(`${name}/${version} (${messageOf(error)})`);
        }
      }
      return [...seen.values()];
    }),
  );
  return { types: types.concat(found.flat()), unreadable };
}

function listable(group: string, version: string, body: Buffer): ResourceType[] {
  const list = JSON.parse(body.toString('utf8')) as { resources: ApiResource[] };
  return list.resources
    .filter((r) => !r.name.includes('/') && r.verbs.includes('list') && r.verbs.includes('get'))
    .map((r) => ({ group, version, resource: r.name, kind: r.kind, namespaced: r.namespaced }));
}
