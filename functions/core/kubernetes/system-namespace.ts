import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import { MANAGED_BY } from './run-labels.ts';

/**
 * Jobs here read folders of nodes (hostPath) and run in the network of control-plane nodes, which only the level privileged
 * admits. Whatever is more than baseline is a warning to whoever creates it, and a note in the audit log of the API server.
 */
const LABELS = {
  ...MANAGED_BY,
  'pod-security.kubernetes.io/enforce': 'privileged',
  'pod-security.kubernetes.io/audit': 'baseline',
  'pod-security.kubernetes.io/warn': 'baseline',
};

/** DNS: a policy applies to the port of the pod behind the service, which some distributions do not run on 53. */
const DNS_PORTS = [53, 5353, 8053];
/** S3, and clients of etcd. */
const TCP_PORTS = [443, 2379];

/** Port of an endpoint like `http://10.0.0.1:9000`. */
export function portOf(url: string): number {
  const { port, protocol } = new URL(url);
  return port ? Number(port) : protocol === 'http:' ? 80 : 443;
}

/**
 * Pods in Holdfast's namespace: nobody connects to them (no rule of ingress), and they connect to DNS, S3 and etcd. By ports, because the addresses
 * of S3 change. None of them speaks to the API server. It does not hold for pods in the network of their node.
 * `ports`: further TCP ports, those of S3 endpoints and of etcd members that are configured.
 */
function networkPolicy(ports: readonly number[]): object {
  const tcp = [...new Set([...TCP_PORTS, ...ports])].sort((a, b) => a - b);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'holdfast', namespace: SYSTEM_NAMESPACE, labels: MANAGED_BY },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      egress: [
        { ports: DNS_PORTS.flatMap((port) => ['UDP', 'TCP'].map((protocol) => ({ protocol, port }))) },
        { ports: tcp.map((port) => ({ protocol: 'TCP', port })) },
      ],
    },
  };
}

/** Manifests of the namespace of Jobs that belong to no application. */
export const systemNamespaceManifests = (ports: readonly number[] = []): object[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE, labels: LABELS } },
  networkPolicy(ports),
];
