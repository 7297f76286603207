import * as z from 'zod/mini';
import type { ResourceType } from './resources.ts';

/** A type as it is written into a document. */
export const ResourceTypeShape = z.object({
  group: z.string(),
  version: z.string(),
  resource: z.string(),
  kind: z.string(),
  namespaced: z.boolean(),
});

/** `apiVersion`: as a manifest writes it, `v1` or `batch/v1`. */
const type = (apiVersion: string, resource: string, kind: string, namespaced = true): ResourceType => {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, resource, kind, namespaced };
};

/** Types that Holdfast itself works with. */
export const TYPES = {
  namespaces: type('v1', 'namespaces', 'Namespace', false),
  nodes: type('v1', 'nodes', 'Node', false),
  pods: type('v1', 'pods', 'Pod'),
  endpoints: type('v1', 'endpoints', 'Endpoints'),
  events: type('v1', 'events', 'Event'),
  secrets: type('v1', 'secrets', 'Secret'),
  services: type('v1', 'services', 'Service'),
  persistentVolumeClaims: type('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim'),
  persistentVolumes: type('v1', 'persistentvolumes', 'PersistentVolume', false),
  clusterRoles: type('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole', false),
  namespacedRoles: type('rbac.authorization.k8s.io/v1', 'roles', 'Role'),
  jobs: type('batch/v1', 'jobs', 'Job'),
  storageClasses: type('storage.k8s.io/v1', 'storageclasses', 'StorageClass', false),
  volumeSnapshots: type('snapshot.storage.k8s.io/v1', 'volumesnapshots', 'VolumeSnapshot'),
  volumeSnapshotClasses: type(
    'snapshot.storage.k8s.io/v1',
    'volumesnapshotclasses',
    'VolumeSnapshotClass',
    false,
  ),
  customResourceDefinitions: type(
    'apiextensions.k8s.io/v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    false,
  ),
} as const;
