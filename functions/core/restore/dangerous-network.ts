import { fieldsOf, recordsIn, textsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { addressKey, nodeAddress } from './addresses.ts';
import { entriesField, recordField, recordsField, textField, textsField } from './strict-fields.ts';
import { isSystemNamespace } from './system-namespaces.ts';

/** A Service that takes the traffic of an address, or leads to a node or a part of the cluster. @throws OddField. */
export function serviceDanger(object: KubeObject): string | undefined {
  const spec = recordField(object, 'spec');
  const [address] = textsField(spec, 'externalIPs');
  if (address !== undefined) return `it takes the traffic of every pod and node to ${address} (externalIPs)`;
  const host = textField(spec, 'externalName');
  const target = host && guardedHost(host);
  return target && `it leads to ${target} (externalName ${host})`;
}

/** Endpoints of a node, or of a part of the cluster. @throws OddField. */
export function endpointsDanger(object: KubeObject, system: string | undefined): string | undefined {
  const addresses = recordsField(object, 'subsets').flatMap((subset) =>
    ['addresses', 'notReadyAddresses'].flatMap((list) => recordsField(subset, list)),
  );
  return ofAddresses(
    addresses.flatMap((a) => [textField(a, 'ip') ?? '', textField(a, 'hostname') ?? '']),
    system,
  );
}

/** As `endpointsDanger`, for an EndpointSlice. @throws OddField. */
export function sliceDanger(object: KubeObject, system: string | undefined): string | undefined {
  return ofAddresses(
    recordsField(object, 'endpoints').flatMap((endpoint) => textsField(endpoint, 'addresses')),
    system,
  );
}

/** Addresses that an object of one of the network types leads to, or has, each in one form. Fields of an odd type have none. */
export function addressesOf(groupResource: string, { spec, subsets, endpoints }: KubeObject): string[] {
  if (groupResource === 'services') {
    const { clusterIP, clusterIPs } = fieldsOf(spec);
    return textsIn([clusterIP, ...textsIn(clusterIPs)]).flatMap((ip) => addressKey(ip) ?? []);
  }
  if (groupResource === 'endpointslices.discovery.k8s.io')
    return recordsIn(endpoints).flatMap((e) => textsIn(e.addresses).flatMap((ip) => addressKey(ip) ?? []));
  if (groupResource !== 'endpoints') return [];
  const all = recordsIn(subsets).flatMap((s) => [
    ...recordsIn(s.addresses),
    ...recordsIn(s.notReadyAddresses),
  ]);
  return textsIn(all.map((a) => a.ip)).flatMap((ip) => addressKey(ip) ?? []);
}

function ofAddresses(addresses: readonly string[], system: string | undefined): string | undefined {
  for (const address of addresses) {
    const target = guardedHost(address);
    if (target) return `it leads to ${target} (${address})`;
  }
  return system && `it directs the traffic of a Service of ${system}`;
}

const METADATA =
  /^(metadata|instance-data)(\.|$)|(^|\.)metadata\.(google|goog|azure)(\.|$)|(^|[^\d])169[.-]254[.-]\d/;

/** What a host name or address means that no Service of an application leads to; undefined for every other. */
function guardedHost(text: string): string | undefined {
  const host = text.toLowerCase().replace(/\.+$/, '');
  const address = nodeAddress(host);
  if (address) return address;
  if (METADATA.test(host)) return 'the metadata of the cloud';
  if (/(^|\.)localhost$/.test(host)) return 'the node itself';
  const [name, namespace, svc] = host.split('.');
  const isInCluster = svc === undefined || svc === 'svc';
  if (!isInCluster || namespace === undefined) return undefined;
  if (name === 'kubernetes' && namespace === 'default') return 'the API server';
  return isSystemNamespace(namespace) ? `a Service of ${namespace}` : undefined;
}

const SNIPPET = /^nginx\.(ingress\.kubernetes\.io|org)\/.*snippets?$/;

/** An Ingress that writes configuration into a controller that reads every Secret of Ingresses. @throws OddField. */
export function ingressDanger({ metadata }: KubeObject): string | undefined {
  const snippet = entriesField(metadata, 'annotations').find(([name]) => SNIPPET.test(name));
  return snippet && `it writes configuration of its own into the ingress controller (${snippet[0]})`;
}
