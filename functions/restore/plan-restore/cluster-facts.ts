import { listPages } from '../../adapters/kubernetes/lists.ts';
import {
  groupResource,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { Grants } from '../../core/restore/archived-roles.ts';
import { addressesOf } from '../../core/restore/dangerous-network.ts';
import type { ClusterFacts } from '../../core/restore/plan-drafts.ts';
import { placeOf } from '../../core/restore/references.ts';
import { grantsOf, type RoleGrants } from '../../core/restore/role-grants.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/**
 * What a plan has to know of the cluster that is restored into: what its roles grant, and the addresses of its API server.
 *
 * @throws The errors of KubeClient.
 */
export async function clusterFactsOf(cluster: KubeClient): Promise<ClusterFacts> {
  const own = await Promise.all([TYPES.endpoints, TYPES.services].map((type) => ofApiServer(cluster, type)));
  return { roles: await rolesOf(cluster), apiServers: new Set(own.flat()) };
}

/** What roles grant of what is held back. Their rules are not kept. */
async function rolesOf(cluster: KubeClient): Promise<Grants> {
  const found = new Map<string, RoleGrants>();
  for (const type of [TYPES.clusterRoles, TYPES.namespacedRoles])
    for await (const { items } of listPages(cluster, type, { absent: 'empty' }))
      for (const { namespace, name, raw } of items) {
        const { powers } = grantsOf(JSON.parse(raw.toString('utf8')) as KubeObject, false);
        found.set(placeOf(groupResource(type), namespace, name), { powers });
      }
  return found;
}

async function ofApiServer(cluster: KubeClient, type: ResourceType): Promise<string[]> {
  const { status, body } = await cluster.call('GET', objectPath(type, 'kubernetes', 'default'), {
    accept: [403, 404],
  });
  if (status >= 400) return [];
  return addressesOf(groupResource(type), JSON.parse(body.toString('utf8')) as KubeObject);
}
