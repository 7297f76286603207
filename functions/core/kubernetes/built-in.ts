/** Groups that the API server itself serves, from etcd. Definitions and aggregated APIs serve all others. */
const BUILT_IN = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'policy',
  ...[
    'admissionregistration',
    'apiextensions',
    'apiregistration',
    'authentication',
    'authorization',
    'certificates',
    'coordination',
    'discovery',
    'events',
    'flowcontrol.apiserver',
    'internal.apiserver',
    'networking',
    'node',
    'rbac.authorization',
    'resource',
    'scheduling',
    'storage',
    'storagemigration',
  ].map((group) => `${group}.k8s.io`),
]);

/** Whether the API server itself serves a group: its objects are valid JSON and fit into etcd. */
export const isBuiltInGroup = (group: string): boolean => BUILT_IN.has(group);
