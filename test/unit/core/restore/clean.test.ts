import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import {
  BACKUP_LABEL,
  cleanForRestore,
  mergedAccount,
  RESTORE_LABEL,
  UPDATED_ANNOTATION,
} from '../../../../functions/core/restore/clean.ts';

const cleanAs = (groupResource: string, object: KubeObject) =>
  cleanForRestore({ groupResource }, object, { backup: 'b', restore: 'r' });
const clean = (object: KubeObject) => cleanAs(RESOURCES[object.kind as string] as string, object);
/** `plural[.group]` of the kinds in these tests. */
const RESOURCES: Record<string, string> = {
  ConfigMap: 'configmaps',
  Job: 'jobs.batch',
  Namespace: 'namespaces',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Pod: 'pods',
  Service: 'services',
  Widget: 'widgets.example.com',
};
const of = (kind: string, spec: Record<string, unknown>, metadata: object = {}): KubeObject => ({
  kind,
  metadata: { name: 'x', ...metadata },
  spec,
});

describe('an object that is restored', () => {
  it('loses what the cluster wrote into its metadata, and its status', () => {
    const written = {
      generateName: 'x-',
      selfLink: '/x',
      uid: 'u',
      resourceVersion: '1',
      generation: 2,
      creationTimestamp: 't',
      deletionTimestamp: 't',
      deletionGracePeriodSeconds: 30,
      ownerReferences: [],
      managedFields: [],
    };
    const kept = { namespace: 'shop', finalizers: ['example.com/f'], annotations: { a: '1' } };
    const object = { ...of('Widget', { size: 1 }, { ...written, ...kept }), status: { ready: true } };
    expect(clean(object)).toEqual({
      kind: 'Widget',
      metadata: { name: 'x', ...kept, labels: { [BACKUP_LABEL]: 'b', [RESTORE_LABEL]: 'r' } },
      spec: { size: 1 },
    });
  });

  it('keeps its labels and says from where it came', () => {
    expect(clean(of('Widget', {}, { labels: { app: 'web' } })).metadata.labels).toEqual({
      app: 'web',
      'velero.io/backup-name': 'b',
      'velero.io/restore-name': 'r',
    });
  });

  it('does not keep the mark of an earlier restore that updated it', () => {
    const marked = of('Widget', {}, { annotations: { [UPDATED_ANNOTATION]: 'restore-1', note: 'a' } });
    expect(clean(marked).metadata.annotations).toEqual({ note: 'a' });
  });

  it('keeps fields that Holdfast does not know', () => {
    expect(clean({ ...of('ConfigMap', {}), data: { k: 'v' }, immutable: true })).toMatchObject({
      data: { k: 'v' },
      immutable: true,
    });
  });
});

describe('a Service', () => {
  it('loses the addresses and ports that the cluster chose', () => {
    const spec = {
      type: 'LoadBalancer',
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      healthCheckNodePort: 31000,
      ports: [{ port: 80, nodePort: 30000 }],
    };
    expect(clean(of('Service', spec)).spec).toEqual({ type: 'LoadBalancer', ports: [{ port: 80 }] });
  });

  it('stays headless', () => {
    const spec = { clusterIP: 'None', clusterIPs: ['None'] };
    expect(clean(of('Service', spec)).spec).toEqual(spec);
  });
});

describe('a Pod', () => {
  it('loses its node and its token, and keeps its other volumes', () => {
    const volumes = [{ name: 'data' }, { name: 'kube-api-access-abc' }];
    const volumeMounts = [...volumes];
    const spec = {
      nodeName: 'n1',
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      priorityClassName: 'high',
      volumes,
      containers: [{ name: 'c', volumeMounts }],
      initContainers: [{ name: 'i', volumeMounts }],
    };
    expect(clean(of('Pod', spec)).spec).toEqual({
      priorityClassName: 'high',
      volumes: [{ name: 'data' }],
      containers: [{ name: 'c', volumeMounts: [{ name: 'data' }] }],
      initContainers: [{ name: 'i', volumeMounts: [{ name: 'data' }] }],
    });
  });
});

describe('a Job', () => {
  const uid = { 'controller-uid': 'u', 'batch.kubernetes.io/controller-uid': 'u' };

  it('loses the selector that the cluster made', () => {
    const spec = {
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
      template: { metadata: { labels: { ...uid, app: 'web' } } },
    };
    expect(clean(of('Job', spec)).spec).toEqual({ template: { metadata: { labels: { app: 'web' } } } });
  });

  it('keeps the selector that a person wrote', () => {
    const spec = { manualSelector: true, selector: { matchLabels: { ...uid, app: 'web' } } };
    expect(clean(of('Job', structuredClone(spec))).spec).toEqual(spec);
  });
});

describe('a PersistentVolumeClaim', () => {
  it('forgets the volume it was bound to', () => {
    const annotations = {
      'pv.kubernetes.io/bind-completed': 'yes',
      'volume.kubernetes.io/selected-node': 'n1',
      'volume.beta.kubernetes.io/storage-provisioner': 'p',
      note: 'kept',
    };
    const claim = clean(
      of('PersistentVolumeClaim', { volumeName: 'pv-1', storageClassName: 's' }, { annotations }),
    );
    expect([claim.spec, claim.metadata.annotations]).toEqual([{ storageClassName: 's' }, { note: 'kept' }]);
  });
});

describe('a Namespace', () => {
  it('is asked for without the finalizers of the old one', () => {
    expect(clean(of('Namespace', { finalizers: ['kubernetes'] })).spec).toBeUndefined();
  });
});

describe('a custom resource whose kind is that of a built-in type', () => {
  /** Everything that is taken off some built-in type. */
  const spec = {
    clusterIP: '10.0.0.1',
    ports: [{ port: 80, nodePort: 30000 }],
    nodeName: 'n1',
    priority: 0,
    volumes: [{ name: 'kube-api-access-abc' }],
    containers: [{ name: 'c', volumeMounts: [{ name: 'kube-api-access-abc' }] }],
    selector: { matchLabels: { 'controller-uid': 'u' } },
    template: { metadata: { labels: { 'controller-uid': 'u' } } },
    volumeName: 'pv-1',
    finalizers: ['example.com/f'],
  };
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' };

  it.each([
    ['Namespace', 'namespaces'],
    ['Service', 'services'],
    ['Job', 'jobs'],
    ['Pod', 'pods'],
    ['PersistentVolumeClaim', 'persistentvolumeclaims'],
    ['Deployment', 'deployments'],
  ])('keeps all of its spec and annotations: a %s of example.com', (kind, resource) => {
    const object = { ...of(kind, structuredClone(spec), { annotations }), apiVersion: 'example.com/v1' };
    const cleaned = cleanAs(`${resource}.example.com`, object);
    expect([cleaned.spec, cleaned.metadata.annotations]).toEqual([spec, annotations]);
  });
});

describe('a ServiceAccount that is there already', () => {
  const account = (more: object): KubeObject => ({ metadata: { name: 'default' }, ...more });

  it('keeps its secrets and gets the archived ones beside them', () => {
    const live = account({ secrets: [{ name: 'a' }], imagePullSecrets: [{ name: 'p' }] });
    const archived = account({ secrets: [{ name: 'a' }, { name: 'b' }], imagePullSecrets: [{ name: 'q' }] });
    expect(mergedAccount(live, archived)).toMatchObject({
      secrets: [{ name: 'a' }, { name: 'b' }],
      imagePullSecrets: [{ name: 'p' }, { name: 'q' }],
    });
  });

  it('gets no token secret that the old cluster made', () => {
    const archived = account({ secrets: [{ name: 'default-token-x7k2p' }] });
    expect(mergedAccount(account({}), archived)).not.toHaveProperty('secrets');
  });
});
