import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { cleanForRestore } from '../../../../functions/core/restore/clean.ts';

const clean = (spec: object, metadata: object = {}, preserveNodePorts = false) =>
  cleanForRestore(
    { groupResource: 'services' },
    structuredClone({ kind: 'Service', metadata: { name: 'x', ...metadata }, spec }) as KubeObject,
    { backup: 'b', restore: 'r' },
    preserveNodePorts,
  ).spec;

/** What the cluster made of a Service with two ports. */
const spec = {
  type: 'LoadBalancer',
  clusterIP: '10.0.0.1',
  clusterIPs: ['10.0.0.1', 'fd00::1'],
  healthCheckNodePort: 31000,
  loadBalancerIP: '192.0.2.1',
  ports: [
    { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053 },
    { name: 'dns-tcp', port: 53, protocol: 'TCP', nodePort: 30054 },
  ],
};
const without = {
  type: 'LoadBalancer',
  loadBalancerIP: '192.0.2.1',
  ports: [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ],
};
const managed = (fields: object, more: object = {}) => ({
  managedFields: [
    { manager: 'helm', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: fields, ...more },
  ],
});
const applied = (manifest: object | string) => ({
  annotations: {
    'kubectl.kubernetes.io/last-applied-configuration':
      typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
  },
});
const PORT = 'k:{"port":53,"protocol":"UDP"}';
const kept = { ...without, ports: [spec.ports[0], without.ports[1]] };

describe('a Service', () => {
  it('loses the addresses and ports that the cluster chose', () => {
    expect(clean(spec)).toEqual(without);
    expect(clean(spec, managed({ 'f:spec': { 'f:ports': { '.': {}, [PORT]: { 'f:port': {} } } } }))).toEqual(
      without,
    );
  });

  it('stays headless', () => {
    const headless = { clusterIP: 'None', clusterIPs: ['None'] };
    expect(clean(headless)).toEqual(headless);
  });

  it('keeps a node port that a manifest states, by server-side apply or by an update', () => {
    const fields = { 'f:spec': { 'f:ports': { [PORT]: { '.': {}, 'f:nodePort': {} } } } };
    expect(clean(spec, managed(fields))).toEqual(kept);
    expect(clean(spec, managed(fields, { manager: 'gitops', operation: 'Apply' }))).toEqual(kept);
  });

  it('tells ports of one number apart by their protocol, which is TCP if it is not named', () => {
    const fields = { 'f:spec': { 'f:ports': { 'k:{"port":80}': { 'f:nodePort': {} } } } };
    const ports = [
      { port: 80, protocol: 'TCP', nodePort: 1 },
      { port: 80, protocol: 'SCTP', nodePort: 2 },
    ];
    expect(clean({ ports }, managed(fields))).toEqual({ ports: [ports[0], { port: 80, protocol: 'SCTP' }] });
  });

  it('keeps a node port that kubectl’s annotation states', () => {
    expect(clean(spec, applied({ spec: { ports: [{ port: 53, nodePort: 30053 }] } }))).toEqual(kept);
  });

  it('does not take the status, another field or a broken entry for a manifest', () => {
    const fields = { 'f:spec': { 'f:ports': { [PORT]: { 'f:nodePort': {} } }, 'f:clusterIP': {} } };
    expect(clean(spec, managed(fields, { subresource: 'status' }))).toEqual(without);
    expect(clean(spec, managed({ 'f:status': fields['f:spec'] }))).toEqual(without);
    expect(
      clean(spec, { managedFields: [null, 'x', { fieldsV1: 'x' }, { fieldsV1: { 'f:spec': 1 } }] }),
    ).toEqual(without);
    expect(clean(spec, managed({ 'f:spec': { 'f:ports': { 'k:{': { 'f:nodePort': {} } } } }))).toEqual(
      without,
    );
    expect(clean(spec, applied('no JSON'))).toEqual(without);
    expect(clean(spec, applied({ spec: { ports: { port: 53 } } }))).toEqual(without);
  });

  it.each([
    ['managedFields', managed({ 'f:spec': { 'f:clusterIP': {} } })],
    ['kubectl’s annotation', applied({ spec: { clusterIP: '10.0.0.1' } })],
  ])(
    'keeps its address that a manifest states, without the second one that was allocated: %s',
    (_, metadata) => {
      expect(clean(spec, metadata)).toEqual({ ...without, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] });
    },
  );

  it('keeps both addresses when a manifest states both', () => {
    const { clusterIP, clusterIPs } = spec;
    expect(clean(spec, managed({ 'f:spec': { 'f:clusterIPs': {} } }))).toEqual({
      ...without,
      clusterIP,
      clusterIPs,
    });
  });

  it('loses an address that it has got since the manifest was applied', () => {
    expect(clean(spec, applied({ spec: { clusterIP: '10.9.9.9' } }))).toEqual(without);
  });

  it('keeps the port of its health check that a manifest states', () => {
    const { healthCheckNodePort } = spec;
    const stated = { ...without, healthCheckNodePort };
    expect(clean(spec, managed({ 'f:spec': { 'f:healthCheckNodePort': {} } }))).toEqual(stated);
    expect(clean(spec, applied({ spec: { healthCheckNodePort } }))).toEqual(stated);
  });

  it('keeps all ports and no address with preserveNodePorts', () => {
    const { clusterIP, clusterIPs, ...rest } = spec;
    expect(clean(spec, {}, true)).toEqual(rest);
  });
});
