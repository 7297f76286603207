import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { dropTokenVolumes } from '../../functions/core/restore/clean-pod.ts';
import { type ClusterApi, refOf } from './cluster-api.ts';

/** Objects of a cluster, by their names as ClusterApi writes them. */
export type Snapshot = ReadonlyMap<string, KubeObject>;

/** Types that change by themselves, or of which a restore says that the cluster makes them. */
const LIVELY =
  /^(events|events\.events\.k8s\.io|leases\.coordination\.k8s\.io|nodes|csinodes\.storage\.k8s\.io|componentstatuses|ipaddresses\.networking\.k8s\.io) /;

/** Every object of a cluster that does not change by itself. */
export async function snapshotOf(api: ClusterApi): Promise<Snapshot> {
  const found = new Map<string, KubeObject>();
  for (const type of await api.types()) {
    const path = type.group
      ? `/apis/${type.group}/${type.version}/${type.resource}`
      : `/api/v1/${type.resource}`;
    const { status, body } = await api.client.call('GET', path, { accept: [404, 405, 503] });
    if (status >= 400) continue;
    for (const object of (JSON.parse(body.toString('utf8')) as { items: KubeObject[] }).items)
      if (!LIVELY.test(refOf(type, object))) found.set(refOf(type, object), object);
  }
  return found;
}

/** Objects that were written between two snapshots, made or removed. */
export function writtenBetween(before: Snapshot, after: Snapshot): string[] {
  const version = (of: Snapshot, ref: string) =>
    `${of.get(ref)?.metadata.uid} ${of.get(ref)?.metadata.resourceVersion}`;
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    // The controller of autoscalers writes their status all the time.
    (ref) => !ref.startsWith('horizontalpodautoscalers.') && version(before, ref) !== version(after, ref),
  );
}

/** What is in the first and not in the second. */
export const missingIn = (before: Snapshot, after: Snapshot): string[] =>
  [...before.keys()].filter((ref) => !after.has(ref)).sort();

/** Objects of both that are not the same, apart from what a new cluster gives anew. Each with the two values. */
export function unlike(before: Snapshot, after: Snapshot): string[] {
  return [...before].flatMap(([ref, was]) => {
    const is = after.get(ref);
    return is ? differencesOf(meant(ref, was), meant(ref, is)).map((path) => `${ref}: ${path}`) : [];
  });
}

/** What of an object is its own, and not of the cluster that it is in. */
function meant(ref: string, object: KubeObject): unknown {
  const { apiVersion: _, kind: __, metadata, status: ___, ...body } = structuredClone(object);
  const { name, namespace, labels, annotations, finalizers } = metadata;
  const applied = ((metadata.managedFields ?? []) as { manager: string; operation: string }[])
    .filter((m) => m.operation === 'Apply')
    .map((m) => m.manager);
  const own = without(labels, /^velero\.io\//);
  const notes = without(
    annotations,
    /^(deployment\.kubernetes\.io\/revision|endpoints\.kubernetes\.io\/last-change-trigger-time|deprecated\.daemonset|pv\.kubernetes\.io\/bound-by|pv\.kubernetes\.io\/bind-completed|kubernetes\.io\/service-account\.uid)/,
  );
  strip(ref, body);
  return { name, namespace, labels: own, annotations: notes, finalizers, applied: applied.sort(), ...body };
}

function strip(ref: string, body: Record<string, unknown>): void {
  const spec = (body.spec ?? {}) as Record<string, unknown>;
  if (/^services /.test(ref)) {
    if (spec.clusterIP !== 'None') for (const field of ['clusterIP', 'clusterIPs']) delete spec[field];
    for (const port of spec.ports as { name?: string; nodePort?: number }[])
      if (port.name === 'free') delete port.nodePort;
  }
  if (/^pods /.test(ref)) {
    delete spec.nodeName;
    dropTokenVolumes(spec);
  }
  if (/^persistentvolumes /.test(ref))
    for (const field of ['uid', 'resourceVersion'])
      delete (spec.claimRef as Record<string, unknown> | undefined)?.[field];
  if (body.type === 'kubernetes.io/service-account-token')
    body.data = Object.keys(body.data as object).sort();
  if (ref.endsWith('/kube-root-ca.crt')) delete body.data;
}

function without(map: Record<string, string> = {}, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.test(name)));
}

/** Paths at which two values differ, in either direction. */
function differencesOf(a: unknown, b: unknown, path = ''): string[] {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Object.is(a, b) ? [] : [`${path} was ${JSON.stringify(a)}, is ${JSON.stringify(b)}`];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const of = (value: object, key: string) => (value as Record<string, unknown>)[key];
  return [...keys].flatMap((key) => differencesOf(of(a, key), of(b, key), `${path}/${key}`));
}
