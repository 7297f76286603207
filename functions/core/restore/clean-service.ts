import { type JsonRecord, recordAt, recordsIn, recordsOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { lastApplied, statedFields, statesSpec } from './stated-fields.ts';

/**
 * Removes the addresses and ports that the cluster allocated to a Service. What a manifest states stays: the cluster allocates
 * only what a request leaves open. `preserveNodePorts`: all ports stay.
 */
export function cleanService(
  object: KubeObject,
  spec: JsonRecord,
  { preserveNodePorts }: { readonly preserveNodePorts: boolean },
): void {
  cleanAddresses(object, spec);
  if (preserveNodePorts) return;
  if (!statesSpec(object, 'healthCheckNodePort')) delete spec.healthCheckNodePort;
  const isStated = statedNodePorts(object);
  for (const port of recordsIn(spec.ports)) if (!isStated(port)) delete port.nodePort;
}

function cleanAddresses(object: KubeObject, spec: JsonRecord): void {
  if (spec.clusterIP === 'None' || statesSpec(object, 'clusterIPs')) return;
  if (!statesSpec(object, 'clusterIP')) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    return;
  }
  // The second address of a Service with two families is allocated.
  if (Array.isArray(spec.clusterIPs)) spec.clusterIPs = spec.clusterIPs.slice(0, 1);
}

/** Whether a manifest states the node port of a port. Ports are told apart by number and protocol, as the API server does. */
function statedNodePorts(object: KubeObject): (port: JsonRecord) => boolean {
  const applied = new Set<unknown>(
    recordsIn(recordAt(lastApplied(object), 'spec')?.ports)
      .map((port) => port.nodePort)
      .filter((nodePort) => nodePort !== undefined),
  );
  const managed = new Set(statedFields(object).flatMap(managedNodePorts));
  return (port) => applied.has(port.nodePort) || managed.has(keyOf(port));
}

/** Keys of the ports whose node port one entry of managedFields has: `f:spec.f:ports.k:{"port":80,"protocol":"TCP"}.f:nodePort`. */
function managedNodePorts(tree: JsonRecord): string[] {
  return Object.entries(recordAt(tree, 'f:spec', 'f:ports') ?? {}).flatMap(([key, fields]) => {
    if (!key.startsWith('k:') || !recordAt(fields, 'f:nodePort')) return [];
    try {
      return recordsOf(JSON.parse(key.slice(2))).map(keyOf);
    } catch {
      return [];
    }
  });
}

const keyOf = ({ port, protocol }: JsonRecord): string => `${String(port)}/${String(protocol ?? 'TCP')}`;
