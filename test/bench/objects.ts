import { createHash } from 'node:crypto';
import type { KubeObject, ResourceType } from '../../functions/core/kubernetes/resources.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';

/** An object of the benchmark and the collection it belongs to. */
export interface BenchObject {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

export const NAMESPACES = 20;
export const namespaceName = (index: number): string => `bench-${index % NAMESPACES}`;

const type = (group: string, version: string, resource: string, kind: string): ResourceType => ({
  group,
  version,
  resource,
  kind,
  namespaced: true,
});
const CONFIG_MAPS = type('', 'v1', 'configmaps', 'ConfigMap');
const DEPLOYMENTS = type('apps', 'v1', 'deployments', 'Deployment');
/** The benchmark's custom resource. */
export const WIDGETS = type('bench.holdfast.io', 'v1', 'widgets', 'Widget');

/** Text that no two objects share: base64 of a digest chain, which does not compress, as keys and tokens do not. */
function noise(seed: string, bytes: number): string {
  let text = '';
  for (let i = 0; text.length < bytes; i++)
    text += createHash('sha384').update(`${seed}/${i}`).digest('base64');
  return text.slice(0, bytes);
}

const labels = (index: number) => ({
  'app.kubernetes.io/name': `service-${index % 300}`,
  'app.kubernetes.io/instance': `service-${index % 300}-production`,
  'app.kubernetes.io/component': ['api', 'worker', 'cache'][index % 3] as string,
  'app.kubernetes.io/managed-by': 'Helm',
});

const container = (index: number) => ({
  name: 'main',
  image: `registry.example.com/team-${index % 12}/service-${index % 300}:1.${index % 40}.0`,
  args: ['--listen=:8080', `--config=/etc/service/${index}.yaml`],
  env: Array.from({ length: 8 }, (_, i) => ({ name: `SETTING_${i}`, value: `value ${i} of ${index}` })),
  ports: [{ name: 'http', containerPort: 8080 }],
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
  volumeMounts: [{ name: 'data', mountPath: '/data' }],
  readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 10 },
});

/** Shapes of what clusters are full of, 1 to 3 KiB each as the API server stores them. No controller makes more of them. */
const SHAPES: ((index: number, name: string, namespace: string) => BenchObject)[] = [
  (index, name, namespace) => ({
    type: CONFIG_MAPS,
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, labels: labels(index) },
      data: {
        'application.yaml': `server:\n  port: 8080\n  name: ${name}\n${'logging:\n  level: info\n  format: json\n'.repeat(12)}`,
        'features.json': JSON.stringify(
          Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`feature${i}`, (index + i) % 3 === 0])),
        ),
      },
    },
  }),
  (index, name, namespace) => ({
    type: TYPES.secrets,
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels: labels(index) },
      type: 'Opaque',
      data: { password: noise(name, 44), 'tls.key': noise(`${name}/key`, 1200) },
    },
  }),
  (index, name, namespace) => ({
    type: TYPES.pods,
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: labels(index) },
      // No scheduler of this name runs: the pod stays as it is.
      spec: {
        schedulerName: 'bench',
        automountServiceAccountToken: false,
        containers: [container(index)],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${index}` } }],
      },
    },
  }),
  (index, name, namespace) => ({
    type: DEPLOYMENTS,
    object: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels: labels(index) },
      spec: {
        // Paused and of no pods: its controller makes nothing of it.
        paused: true,
        replicas: 0,
        selector: { matchLabels: { bench: name } },
        template: {
          metadata: { labels: { bench: name } },
          spec: { containers: [container(index)], volumes: [{ name: 'data', emptyDir: {} }] },
        },
      },
    },
  }),
  (index, name, namespace) => ({
    type: WIDGETS,
    object: {
      apiVersion: 'bench.holdfast.io/v1',
      kind: 'Widget',
      metadata: { name, namespace, labels: labels(index) },
      spec: {
        size: index,
        note: 'a custom resource of an operator, with a status that it keeps',
        steps: Array.from({ length: 12 }, (_, i) => ({
          name: `step-${i}`,
          after: i,
          weight: (index * i) % 97,
        })),
      },
    },
  }),
];
/** How often each shape comes, of ten: config maps and secrets are the most there is of anything. */
const MIX = [0, 1, 0, 1, 2, 0, 1, 3, 4, 0];

/** The object of an index: always the same. */
export function benchObject(index: number): BenchObject {
  const shape = SHAPES[MIX[index % MIX.length] as number] as (typeof SHAPES)[number];
  const spread = Math.floor(index / MIX.length);
  return shape(index, `service-${index % 300}-${index}`, namespaceName(spread));
}
