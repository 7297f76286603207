import { listPages } from '../../adapters/kubernetes/lists.ts';
import { isRecord } from '../../core/bytes/json-value.ts';
import type { KubeObject, ResourceType } from '../../core/kubernetes/resources.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

const SERVICES: ResourceType = {
  group: '',
  version: 'v1',
  resource: 'services',
  kind: 'Service',
  namespaced: true,
};

const TAKEN = /provided (port|ip) is already allocated/i;

/**
 * `, by Service shop/web` for the refusal of a Service whose port or address another Service has; empty for any other refusal, or
 * if none is found.
 */
export async function takenBy(cluster: KubeClient, reason: string, wanted: KubeObject): Promise<string> {
  if (!TAKEN.test(reason)) return '';
  const claims = claimsOf(wanted);
  for await (const { items } of listPages(cluster, SERVICES, { absent: 'error' })) {
    for (const { raw } of items) {
      const other = JSON.parse(raw.toString('utf8')) as KubeObject;
      const taken = [...claimsOf(other)].find((claim) => claims.has(claim));
      const { namespace, name } = other.metadata;
      if (taken) return `, by Service ${namespace}/${name} (${taken})`;
    }
  }
  return '';
}

/** What only one Service of a cluster can have: `node port 30777`, `address 10.96.0.9`. */
function claimsOf({ spec = {} }: KubeObject): ReadonlySet<string> {
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  const ports = [...list(spec.ports).map((p) => isRecord(p) && p.nodePort), spec.healthCheckNodePort];
  const addresses = [spec.clusterIP, ...list(spec.clusterIPs)];
  return new Set([
    ...ports.filter((p) => typeof p === 'number' && p > 0).map((p) => `node port ${String(p)}`),
    ...addresses
      .filter((a) => typeof a === 'string' && a !== '' && a !== 'None')
      .map((a) => `address ${String(a)}`),
  ]);
}
