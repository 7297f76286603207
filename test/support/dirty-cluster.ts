import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { GROUP, nameOf, platform } from './dirty-platform.ts';

/** One object of the generated cluster, and how it was made. */
export interface Made {
  readonly object: KubeObject;
  /** The manager that made it. */
  readonly manager: string;
  /** A second manager, and what it applied to the object server-side. */
  readonly also?: { readonly manager: string; readonly fields: KubeObject };
}

/** A generated cluster, in the order in which it can be made. */
export interface DirtyCluster {
  readonly namespaces: readonly string[];
  readonly definitions: readonly KubeObject[];
  readonly objects: readonly Made[];
  /** Children that controllers of custom resources made: with the index of the owner in `objects`. */
  readonly owned: readonly { readonly owner: number; readonly object: KubeObject }[];
  /** What would stand in the way of the others: webhooks without pods, APIs that are down, quotas that are full. */
  readonly last: readonly KubeObject[];
}

/** Stands for an integer that JavaScript cannot hold: whoever makes the object writes the number in its place. */
export const BIG = '@9007199254740993';
const MANAGERS = ['helm', 'argocd-controller', 'kubectl-create', 'flux', 'operator'];
/** A kind of each project's custom resource. Some are kinds of built-in types, too. */
const PROJECTS: readonly (readonly [string, string])[] = [
  ['argo', 'Application'],
  ['cert', 'Certificate'],
  ['mesh', 'Gateway'],
  ['serve', 'Service'],
  ['train', 'Job'],
  ['watch', 'Rule'],
  ['kafka', 'Topic'],
  ['pg', 'Database'],
  ['guard', 'Policy'],
  ['pipe', 'Ingress'],
  ['cross', 'Xrd'],
  ['bus', 'Namespace'],
  ['auth', 'Role'],
];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A few hundred objects with the traits of published projects. The same seed makes the same cluster. */
export function dirtyCluster(seed: number): DirtyCluster {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const objects: Made[] = [];
  const owned: { owner: number; object: KubeObject }[] = [];
  const put = (object: KubeObject, also?: Made['also']) => {
    objects.push({ object, manager: pick(MANAGERS), ...(also && { also }) });
    return objects.length - 1;
  };
  const namespaces = PROJECTS.map(([project]) => nameOf(project));
  namespaces.push(nameOf('n'.repeat(58)));
  for (const name of namespaces)
    put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { tier: pick(['a', 'b']) } } });
  for (const [index, [project, kind]] of PROJECTS.entries()) {
    const namespace = nameOf(project);
    for (let i = 0; i < 3; i++) {
      const owner = put(customResource(project, kind, i, random));
      const metadata = { name: `${project}-${i}`, namespace };
      const data = { password: btoa(`${project} ${random()}`) };
      owned.push({ owner, object: { apiVersion: 'v1', kind: 'Secret', metadata, data } });
      owned.push({
        owner,
        object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ca: `pem ${i}` } },
      });
    }
    for (const [object, also] of application(project, index, random)) put(object, also);
  }
  const { definitions, objects: wide, last } = platform(PROJECTS, namespaces, random);
  for (const object of wide) put(object);
  return { namespaces, definitions, objects, owned, last };
}

function customResource(project: string, kind: string, i: number, random: () => number): KubeObject {
  const namespace = nameOf(project);
  const name =
    kind === 'Namespace' && i === 0 ? namespace : i === 2 ? `${'x'.repeat(70)}-${i}` : `thing-${i}`;
  const spec =
    kind === 'Xrd'
      ? {}
      : {
          replicas: Math.floor(random() * 5),
          selector: { matchLabels: { a: 'b' } },
          ports: { http: 80 },
          clusterIP: 'none of the cluster',
          volumeName: 'lun-0',
          rules: 'all',
          number: BIG,
          template: { any: [1, null, { deep: random() > 0.5 }] },
        };
  return { apiVersion: `${project}.${GROUP}/v1`, kind, metadata: { name, namespace }, spec };
}

type Entry = readonly [KubeObject, Made['also']?];

/** What every project brings into its namespace. */
function application(project: string, index: number, random: () => number): Entry[] {
  const namespace = nameOf(project);
  const metadata = (name: string, more: object = {}) => ({ name, namespace, ...more });
  const labels = { app: project };
  const container = { name: 'c', image: `registry.example.com/${project}:1`, args: ['--leader-elect'] };
  const pod = { serviceAccountName: project, containers: [container] };
  const template = { metadata: { labels }, spec: pod };
  const workload = { replicas: 0, selector: { matchLabels: labels }, template };
  const rbac = 'rbac.authorization.k8s.io';
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }];
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('settings') };
  const number = 30_000 + Math.floor(random() * 200);
  const of = (apiVersion: string, kind: string, name: string, body: object): KubeObject => ({
    apiVersion,
    kind,
    metadata: metadata(name),
    ...body,
  });
  return [
    [of('v1', 'ServiceAccount', project, {})],
    [of(`${rbac}/v1`, 'Role', project, { rules })],
    [
      of(`${rbac}/v1`, 'RoleBinding', project, {
        roleRef: { apiGroup: rbac, kind: 'Role', name: project },
        subjects: [{ kind: 'ServiceAccount', name: project, namespace }],
      }),
    ],
    [
      of(`${rbac}/v1`, 'RoleBinding', 'team', {
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'edit' },
        subjects: [{ apiGroup: rbac, kind: 'Group', name: `team-${project}` }],
      }),
    ],
    [
      { ...settings, data: { color: 'blue', number: String(number) } },
      { manager: 'second', fields: { ...settings, data: { size: 'xl' } } },
    ],
    [of('v1', 'ConfigMap', `${'l'.repeat(248)}`, { data: { a: '1' } })],
    [of('v1', 'Secret', 'plain', { type: 'Opaque', data: { k: btoa(String(random())) } })],
    [
      {
        ...of('v1', 'Secret', 'token', { type: 'kubernetes.io/service-account-token' }),
        metadata: metadata('token', { annotations: { 'kubernetes.io/service-account.name': project } }),
      },
    ],
    [
      of('v1', 'Service', 'gate', {
        spec: {
          type: 'NodePort',
          selector: labels,
          ports: [
            // The API server allocates from above this part of the range.
            { name: 'http', port: 80, nodePort: 30_010 + index },
            { name: 'free', port: 81 },
          ],
        },
      }),
    ],
    [
      of('v1', 'Service', 'headless', {
        spec: { clusterIP: 'None', selector: labels, ports: [{ port: 80 }] },
      }),
    ],
    [of('v1', 'Service', 'outside', { spec: { ports: [{ name: 'pg', port: 5432 }] } })],
    [
      {
        ...of('discovery.k8s.io/v1', 'EndpointSlice', 'outside-1', {
          addressType: 'IPv4',
          ports: [{ name: 'pg', port: 5432, protocol: 'TCP' }],
          endpoints: [{ addresses: ['192.0.2.10'] }],
        }),
        metadata: metadata('outside-1', {
          labels: {
            'kubernetes.io/service-name': 'outside',
            ...(random() > 0.5 && { 'endpointslice.kubernetes.io/managed-by': 'staff' }),
          },
        }),
      },
    ],
    [
      of('apps/v1', 'Deployment', 'controller', { spec: workload }),
      {
        manager: 'second',
        fields: {
          ...of('apps/v1', 'Deployment', 'controller', {}),
          metadata: metadata('controller', { annotations: { second: 'yes' } }),
        },
      },
    ],
    [of('apps/v1', 'StatefulSet', 'store', { spec: { ...workload, serviceName: 'headless' } })],
    [
      of('apps/v1', 'DaemonSet', 'agent', {
        spec: {
          selector: { matchLabels: { app: 'agent' } },
          template: {
            metadata: { labels: { app: 'agent' } },
            spec: { ...pod, nodeSelector: { no: 'where' } },
          },
        },
      }),
    ],
    [
      of('batch/v1', 'CronJob', 'nightly', {
        spec: {
          schedule: '0 3 1 1 *',
          suspend: true,
          jobTemplate: { spec: { template: { spec: { ...pod, restartPolicy: 'Never' } } } },
        },
      }),
    ],
    [
      of('policy/v1', 'PodDisruptionBudget', 'one', {
        spec: { minAvailable: 1, selector: { matchLabels: labels } },
      }),
    ],
    [
      of('autoscaling/v2', 'HorizontalPodAutoscaler', 'grow', {
        spec: {
          maxReplicas: 3,
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'nobody' },
        },
      }),
    ],
    [
      of('networking.k8s.io/v1', 'NetworkPolicy', 'deny', {
        spec: { podSelector: {}, policyTypes: ['Ingress'] },
      }),
    ],
    [
      of('networking.k8s.io/v1', 'Ingress', 'site', {
        spec: {
          rules: [
            {
              host: `${project}.example.com`,
              http: {
                paths: [
                  {
                    path: '/',
                    pathType: 'Prefix',
                    backend: { service: { name: 'gate', port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      }),
    ],
    [
      of('v1', 'LimitRange', 'small', {
        spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '1m' } }] },
      }),
    ],
    [
      of('coordination.k8s.io/v1', 'Lease', 'leader', {
        spec: { holderIdentity: 'a pod', leaseTransitions: 4 },
      }),
    ],
    [
      of('v1', 'PersistentVolumeClaim', 'share', {
        spec: {
          accessModes: ['ReadWriteMany'],
          storageClassName: '',
          volumeName: `${namespace}-share`,
          resources: { requests: { storage: '1Gi' } },
        },
      }),
    ],
  ];
}
