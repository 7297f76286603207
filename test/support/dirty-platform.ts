import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';

const RBAC = 'rbac.authorization.k8s.io';
const HOOKS = 'admissionregistration.k8s.io/v1';
/** The group below which the types of all projects are. */
export const GROUP = 'proj.test';
/** The namespace of a project, and what its cluster-scoped objects are called. */
export const nameOf = (project: string): string => `proj-${project}`;
const ANYTHING = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };

/** What is cluster-scoped in a generated cluster, and what stands in the way of the rest. */
export interface Platform {
  readonly definitions: KubeObject[];
  readonly objects: KubeObject[];
  readonly last: KubeObject[];
}

/** Definitions, roles, policies and volumes of projects, and what of theirs is broken. */
export function platform(
  projects: readonly (readonly [string, string])[],
  namespaces: readonly string[],
  random: () => number,
): Platform {
  const wide = (apiVersion: string, kind: string, name: string, body: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: { name },
    ...body,
  });
  const objects = projects.flatMap(([project], i) => {
    const name = nameOf(project);
    const wild = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
    const narrow = { apiGroups: [`${project}.${GROUP}`], resources: ['*'], verbs: ['get'] };
    const labels = {
      'rbac.proj.test/aggregate': 'true',
      ...(i % 3 === 0 && { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }),
    };
    const subjects = [{ kind: 'ServiceAccount', name: project, namespace: name }];
    return [
      {
        ...wide(`${RBAC}/v1`, 'ClusterRole', name, { rules: [i % 4 === 1 ? wild : narrow] }),
        metadata: { name, labels: i % 4 === 1 ? {} : labels },
      },
      wide(`${RBAC}/v1`, 'ClusterRoleBinding', name, {
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
        subjects,
      }),
      wide('v1', 'PersistentVolume', `${name}-share`, {
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteMany'],
          persistentVolumeReclaimPolicy: 'Retain',
          storageClassName: '',
          claimRef: { namespace: name, name: 'share' },
          nfs: { server: '192.0.2.20', path: `/${project}` },
        },
      }),
    ];
  });
  const selector = { matchLabels: { 'rbac.proj.test/aggregate': 'true' } };
  objects.push(
    wide(`${RBAC}/v1`, 'ClusterRole', 'proj-aggregated', {
      aggregationRule: { clusterRoleSelectors: [selector] },
      rules: [],
    }),
    wide(`${RBAC}/v1`, 'ClusterRole', 'proj:with:colons', {
      rules: [{ apiGroups: [RBAC], resources: ['*'], verbs: ['*'] }],
    }),
    wide(`${RBAC}/v1`, 'ClusterRoleBinding', 'Proj Admins', {
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', apiGroup: RBAC, name: 'proj-admins' }],
    }),
    wide('scheduling.k8s.io/v1', 'PriorityClass', 'proj-high', { value: 1000 }),
    wide('storage.k8s.io/v1', 'StorageClass', 'proj-slow', {
      provisioner: 'nobody.example.com',
      reclaimPolicy: 'Retain',
    }),
    wide('networking.k8s.io/v1', 'IngressClass', 'proj-edge', { spec: { controller: 'example.com/edge' } }),
    wide(`tenants.${GROUP}/v1`, 'Tenant', 'proj-acme', { spec: { quota: 4 } }),
  );
  return { definitions: definitionsOf(projects), objects, last: lastOf(projects, namespaces, random, wide) };
}

/** Each project's own type: two or three served versions without conversion, a status subresource or none. */
function definitionsOf(projects: readonly (readonly [string, string])[]): KubeObject[] {
  const all = projects.map(([project, kind], i) => {
    const versions = kind === 'Xrd' ? refusing() : versionsOf(i);
    return definition(`${project}.${GROUP}`, kind, 'Namespaced', versions);
  });
  return [...all, definition(`tenants.${GROUP}`, 'Tenant', 'Cluster', versionsOf(0))];
}

function definition(group: string, kind: string, scope: string, versions: object[]): KubeObject {
  const singular = kind.toLowerCase();
  const plural = singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`;
  const names = { plural, singular, kind, listKind: `${kind}List` };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope, names, conversion: { strategy: 'None' }, versions },
  };
}

function versionsOf(i: number): object[] {
  const subresources = i % 2 === 0 ? { subresources: { status: {} } } : {};
  const version = (name: string, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: ANYTHING,
    ...subresources,
  });
  return [version('v1alpha1', false), version('v1beta1', i % 3 === 1), version('v1', i % 3 !== 1)];
}

/** As Crossplane's: what v1 stores, the preferred v2 refuses. */
function refusing(): object[] {
  const version = (name: string, storage: boolean, scope: string) => ({
    name,
    served: true,
    storage,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: {
            type: 'object',
            properties: { scope: { type: 'string', enum: [scope, 'Cluster'], default: scope } },
          },
        },
      },
    },
  });
  return [version('v1', true, 'LegacyCluster'), version('v2', false, 'Namespaced')];
}

type Wide = (apiVersion: string, kind: string, name: string, body: object) => KubeObject;

function lastOf(
  projects: readonly (readonly [string, string])[],
  namespaces: readonly string[],
  random: () => number,
  wide: Wide,
): KubeObject[] {
  const hooks = projects.slice(0, 6).map(([project], i) => {
    const fail = i % 2 === 0;
    const service = { name: 'gate', namespace: nameOf(project), path: '/check' };
    const rule = {
      apiGroups: [`${project}.${GROUP}`],
      apiVersions: ['*'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['*'],
    };
    const hook = {
      name: `check.${project}.${GROUP}`,
      failurePolicy: fail ? 'Fail' : 'Ignore',
      sideEffects: 'None',
      timeoutSeconds: 2,
      admissionReviewVersions: ['v1'],
      clientConfig: { service },
      rules: [rule],
    };
    return wide(
      HOOKS,
      i % 3 === 0 ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration',
      nameOf(project),
      { webhooks: [hook] },
    );
  });
  const rules = [
    {
      apiGroups: ['apps'],
      apiVersions: ['v1'],
      operations: ['CREATE', 'UPDATE'],
      resources: ['deployments'],
    },
  ];
  const policies = [
    wide(HOOKS, 'ValidatingAdmissionPolicy', 'proj-small', {
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: rules },
        validations: [{ expression: 'object.spec.replicas <= 50' }],
      },
    }),
    wide(HOOKS, 'ValidatingAdmissionPolicyBinding', 'proj-small', {
      spec: { policyName: 'proj-small', validationActions: ['Deny'] },
    }),
  ];
  const down = (group: string, version: string) =>
    wide('apiregistration.k8s.io/v1', 'APIService', `${version}.${group}`, {
      spec: {
        group,
        version,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { name: 'gate', namespace: namespaces[0] },
      },
    });
  // Full of everything that each project has; the numbers are those of the generator.
  const full = {
    services: '3',
    'count/horizontalpodautoscalers.autoscaling': '1',
    'count/poddisruptionbudgets.policy': '1',
    'count/limitranges': '1',
    'count/deployments.apps': '1',
    persistentvolumeclaims: '1',
    'count/configmaps': '6',
  };
  const quotas = projects
    .filter(() => random() > 0.3)
    .map(([project]) => ({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'full', namespace: nameOf(project) },
      spec: { hard: full },
    }));
  return [...quotas, ...policies, ...hooks, down('metrics.k8s.io', 'v1beta1'), down(`down.${GROUP}`, 'v1')];
}
