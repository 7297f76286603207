import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { freeForm } from './world.ts';

/** A pod's spec, as YAML in one line: it sleeps, and ends at once. */
export const podSpec = (container = '', spec = ''): string =>
  `{ terminationGracePeriodSeconds: 0, ${spec} containers: [{ name: c, image: "docker.io/library/busybox:1.37", ` +
  `imagePullPolicy: IfNotPresent, command: [sleep, "100000"]${container} }] }`;

/** A Deployment, StatefulSet or DaemonSet as YAML. `fields`: further fields of its spec. */
export const workload = (
  kind: string,
  place: string,
  fields = 'replicas: 1,',
  spec = podSpec(),
  labels = '',
): string => {
  const [namespace, name] = place.split('/');
  return `
apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace}${labels && `, labels: ${labels}`} }
spec: { ${fields} selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: ${spec} } }
---`;
};

/** A Namespace as YAML. */
export const namespace = (name: string, labels = '{}'): string => `
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: ${labels} }
---`;

/** A ConfigMap as YAML. */
export const configMap = (place: string, data: string, metadata = ''): string => {
  const [ns, name] = place.split('/');
  return `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name}, namespace: ${ns}${metadata && `, ${metadata}`} }
data: ${data}
---`;
};

/** The definition of a namespaced custom resource that holds anything: `things.example.com`, kind Thing. */
export const anything = (plural: string, group: string, kind: string, version: object = {}): KubeObject =>
  freeForm({ group, resource: plural, kind }, version);
