import { buffer } from 'node:stream/consumers';
import { archiveWriter } from '../../functions/adapters/archive/writer.ts';
import { apiVersion, type KubeObject, type ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';

/** A type of version v1. */
export const kind = (group: string, resource: string, name: string, namespaced = true): ResourceType => ({
  group,
  version: 'v1',
  resource,
  kind: name,
  namespaced,
});
/** Types of what tests restore. */
export const KINDS = {
  ...TYPES,
  configMaps: kind('', 'configmaps', 'ConfigMap'),
  serviceAccounts: kind('', 'serviceaccounts', 'ServiceAccount'),
  replicaSets: kind('apps', 'replicasets', 'ReplicaSet'),
  deployments: kind('apps', 'deployments', 'Deployment'),
  roles: kind('rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole', false),
  bindings: kind('rbac.authorization.k8s.io', 'clusterrolebindings', 'ClusterRoleBinding', false),
  apiServices: kind('apiregistration.k8s.io', 'apiservices', 'APIService', false),
  widgets: kind('example.com', 'widgets', 'Widget'),
} as const;

/** An object of an archive with its type. */
export type Thing = readonly [ResourceType, KubeObject];

/** An object in `shop`, or in no namespace when its type has none. */
export const thing = (of: ResourceType, name: string, body: object = {}, metadata: object = {}): Thing => [
  of,
  {
    apiVersion: apiVersion(of),
    kind: of.kind,
    metadata: { name, ...(of.namespaced && { namespace: 'shop' }), ...metadata },
    ...body,
  },
];

/** An archive of some objects, and its sha256. */
export async function archiveOf(...things: Thing[]): Promise<{ body: Buffer; sha256: string }> {
  const writer = archiveWriter();
  const reading = buffer(writer.output);
  for (const [of, object] of things) {
    const { name, namespace } = object.metadata;
    await writer.add(of, name, namespace, Buffer.from(JSON.stringify(object)));
  }
  const { sha256 } = await writer.end();
  return { body: await reading, sha256 };
}
