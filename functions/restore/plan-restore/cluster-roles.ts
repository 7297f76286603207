import { listPages } from '../../adapters/kubernetes/lists.ts';
import { groupResource, type KubeObject } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import type { Grants } from '../../core/restore/archived-roles.ts';
import { placeOf } from '../../core/restore/references.ts';
import { grantsOf, type RoleGrants } from '../../core/restore/role-grants.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/**
 * The ClusterRoles of a cluster that grant what a restore holds back. A role of the recovery point does not replace them, but a
 * binding to its name gives what they grant.
 *
 * @throws The errors of KubeClient.
 */
export async function clusterRolesOf(cluster: KubeClient): Promise<Grants> {
  const found = new Map<string, RoleGrants>();
  const type = groupResource(TYPES.clusterRoles);
  for await (const { items } of listPages(cluster, TYPES.clusterRoles, { absent: 'empty' }))
    for (const { name, raw } of items) {
      const { powers } = grantsOf(JSON.parse(raw.toString('utf8')) as KubeObject, true);
      if (powers.length > 0) found.set(placeOf(type, undefined, name), { powers });
    }
  return found;
}
