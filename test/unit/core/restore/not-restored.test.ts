import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { defaultRoleReason, neverReason } from '../../../../functions/core/restore/not-restored.ts';
import { at, objectOf } from '../../../support/archived.ts';

const reason = (
  type: string,
  body: object = {},
  metadata: object = {},
  namespace: string | undefined = 'shop',
) => {
  const object = objectOf('X', body, metadata) as KubeObject;
  return neverReason({ ...at(type, object.metadata.name), namespace }, object);
};
const annotated = (name: string, value = 't') => ({ annotations: { [name]: value } });
const labelled = (name: string, value: string) => ({ labels: { [name]: value } });
const conditions = (type: string, status: string) => ({ status: { conditions: [{ type, status }] } });

describe('a type that nobody makes by hand is never restored:', () => {
  it.each([
    ['nodes', /nodes register/],
    ['csinodes.storage.k8s.io', /nodes register/],
    ['events', /the past/],
    ['events.events.k8s.io', /the past/],
    ['componentstatuses', /computes/],
    ['volumeattachments.storage.k8s.io', /attaches/],
    ['csistoragecapacities.storage.k8s.io', /publish/],
    ['resourceslices.resource.k8s.io', /publish/],
    ['ipaddresses.networking.k8s.io', /allocates/],
    ['certificatesigningrequests.certificates.k8s.io', /a request/],
    ['podcertificaterequests.certificates.k8s.io', /a request/],
    ['leases.coordination.k8s.io', /holder/],
    ['leasecandidates.coordination.k8s.io', /holder/],
    ['volumesnapshots.snapshot.storage.k8s.io', /snapshot/],
    ['pods.metrics.k8s.io', /measured/],
    ['anything.custom.metrics.k8s.io', /measured/],
    ['storageversions.internal.apiserver.k8s.io', /themselves/],
  ])('%s', (type, why) => {
    expect(reason(type)).toMatch(why);
    expect(reason(`${type}.example.com`)).toBeUndefined();
  });
});

describe('what the cluster makes or what has ended is never restored:', () => {
  it.each<[string, object, object, RegExp]>([
    ['pods', {}, annotated('kubernetes.io/config.mirror'), /mirror pod/],
    ['pods', { status: { phase: 'Succeeded' } }, {}, /pod has ended/],
    ['pods', { status: { phase: 'Failed' } }, {}, /pod has ended/],
    ['jobs.batch', conditions('Complete', 'True'), {}, /Job has ended/],
    ['jobs.batch', conditions('Failed', 'True'), {}, /Job has ended/],
    ['configmaps', {}, { name: 'kube-root-ca.crt' }, /published/],
    ['configmaps', {}, { name: 'openshift-service-ca.crt' }, /published/],
    ['configmaps', {}, annotated('control-plane.alpha.kubernetes.io/leader'), /holder/],
    ['secrets', { type: 'bootstrap.kubernetes.io/token' }, {}, /admits nodes/],
    ['endpoints', {}, annotated('endpoints.kubernetes.io/last-change-trigger-time'), /Service and its pods/],
    [
      'endpoints',
      {},
      labelled('endpoints.kubernetes.io/managed-by', 'endpoint-controller'),
      /Service and its/,
    ],
    ['endpoints', { subsets: [{ addresses: [{ targetRef: { kind: 'Pod' } }] }] }, {}, /Service and its pods/],
    [
      'endpointslices.discovery.k8s.io',
      {},
      labelled('endpointslice.kubernetes.io/managed-by', 'endpointslice-controller.k8s.io'),
      /Service and its pods/,
    ],
    [
      'endpointslices.discovery.k8s.io',
      {},
      labelled('endpointslice.kubernetes.io/managed-by', 'endpointslicemirroring-controller.k8s.io'),
      /Service and its pods/,
    ],
    ['apiservices.apiregistration.k8s.io', { spec: { version: 'v1' } }, {}, /registered/],
    ['servicecidrs.networking.k8s.io', {}, { name: 'kubernetes' }, /API server/],
    ['priorityclasses.scheduling.k8s.io', {}, { name: 'system-node-critical' }, /API server/],
    [
      'clustertrustbundles.certificates.k8s.io',
      { spec: { signerName: 'kubernetes.io/kube-apiserver-serving' } },
      {},
      /published/,
    ],
    [
      'flowschemas.flowcontrol.apiserver.k8s.io',
      {},
      annotated('apf.kubernetes.io/autoupdate-spec', 'true'),
      /keeps it/,
    ],
    ['prioritylevelconfigurations.flowcontrol.apiserver.k8s.io', {}, { name: 'exempt' }, /keeps it/],
    ['persistentvolumes', { spec: {} }, annotated('pv.kubernetes.io/provisioned-by', 'nfs'), /fresh volumes/],
    ['configmaps', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }, /was being deleted/],
  ])('%s %j %j', (type, body, metadata, why) => {
    expect(reason(type, body, metadata)).toMatch(why);
    // The type alone does not decide: neither a kind of the same name in another group, nor a plain object of the type.
    if (!('deletionTimestamp' in metadata))
      expect(reason(`${type}.example.com`, body, metadata)).toBeUndefined();
  });

  it.each([
    ['services', 'default', 'kubernetes'],
    ['endpoints', 'default', 'kubernetes'],
    ['endpointslices.discovery.k8s.io', 'default', 'kubernetes'],
    ['configmaps', 'kube-system', 'extension-apiserver-authentication'],
    ['configmaps', 'kube-system', 'kube-apiserver-legacy-service-account-token-tracking'],
    ['configmaps', 'kube-system', 'kubeadm-config'],
    ['configmaps', 'kube-system', 'kubelet-config'],
    ['configmaps', 'kube-system', 'kubelet-config-1.23'],
    ['configmaps', 'kube-public', 'cluster-info'],
    ['secrets', 'kube-system', 'kubeadm-certs'],
    ['secrets', 'kube-system', 'node-1.node-password.k3s'],
  ])('%s %s/%s, the identity of a cluster; not one of that name elsewhere', (type, namespace, name) => {
    expect(reason(type, {}, { name }, namespace)).toBeDefined();
    expect(reason(type, {}, { name }, 'shop')).toBeUndefined();
  });

  it('kubeadm’s kube-proxy, which has the address of the API server; not that of somebody else', () => {
    const proxy = (data: object) => reason('configmaps', { data }, { name: 'kube-proxy' }, 'kube-system');
    expect(proxy({ 'kubeconfig.conf': 'server: https://10.0.0.1:6443' })).toBeDefined();
    expect(proxy({ config: '' })).toBeUndefined();
  });
});

describe('a default role', () => {
  const where = at('clusterroles.rbac.authorization.k8s.io');
  const role = (managers: string[], over: object = {}) => {
    const metadata = {
      labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
      annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
      managedFields: managers.map((manager) => ({ manager })),
      ...over,
    };
    return defaultRoleReason(where, objectOf('ClusterRole', { rules: [] }, metadata));
  };
  it('is left to the API server of its version under update', () => {
    for (const managers of [[], ['kube-apiserver'], ['kube-apiserver', 'clusterrole-aggregation-controller']])
      expect(role(managers)).toMatch(/keeps it itself/);
  });
  it('is restored if somebody changed it, or keeps it from being updated', () => {
    expect(role(['kube-apiserver', 'kubectl-edit'])).toBeUndefined();
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
    expect(role(['kube-apiserver'], { annotations })).toBeUndefined();
    expect(role(['kubectl'], { labels: {} })).toBeUndefined();
    expect(
      reason(where.groupResource, {}, { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } }),
    ).toBe(undefined);
  });
});

describe('what somebody made is restored:', () => {
  it.each<[string, object, object]>([
    ['pods', { kind: 'Pod', status: { phase: 'Running' } }, {}],
    ['jobs.batch', conditions('Suspended', 'True'), {}],
    ['jobs.batch', conditions('Failed', 'False'), {}],
    ['endpoints', { subsets: [{ addresses: [{ ip: '192.0.2.1' }] }] }, {}],
    ['endpointslices.discovery.k8s.io', {}, {}],
    ['endpointslices.discovery.k8s.io', {}, labelled('endpointslice.kubernetes.io/managed-by', 'staff')],
    ['secrets', { type: 'Opaque' }, {}],
    ['secrets', {}, { name: 'kube-root-ca.crt' }],
    ['configmaps', { data: { a: '1' } }, annotated('control-plane.alpha.kubernetes.io/leader')],
    ['apiservices.apiregistration.k8s.io', { spec: { service: {} } }, {}],
    ['servicecidrs.networking.k8s.io', {}, { name: 'second' }],
    ['clustertrustbundles.certificates.k8s.io', { spec: { trustBundle: '' } }, {}],
    ['flowschemas.flowcontrol.apiserver.k8s.io', {}, annotated('apf.kubernetes.io/autoupdate-spec', 'false')],
    ['persistentvolumes', { spec: { persistentVolumeReclaimPolicy: 'Retain', nfs: {} } }, {}],
    ['leases.example.com', {}, {}],
  ])('%s %j %j', (type, body, metadata) => {
    expect(reason(type, body, metadata)).toBeUndefined();
  });
});
