import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import {
  BACKUP_LABEL,
  cleanForRestore,
  labelValue,
  mergedAccount,
  RESTORE_LABEL,
  UPDATED_ANNOTATION,
  withAddedSubjects,
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
  PersistentVolume: 'persistentvolumes',
  Secret: 'secrets',
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

  it('has labels of a valid length: longer names are shortened with a hash, as in Velero', () => {
    const backup = 'k8s-production-europe-west-authentication-namespace-daily-20260131020000';
    const hash = createHash('sha256').update(backup).digest('hex').slice(0, 6);
    const object = cleanForRestore({ groupResource: 'configmaps' }, of('ConfigMap', {}), {
      backup,
      restore: 'r',
    });
    expect(object.metadata.labels?.[BACKUP_LABEL]).toBe(`${backup.slice(0, 57)}${hash}`);
    expect(labelValue('x'.repeat(63))).toBe('x'.repeat(63));
    expect(labelValue(labelValue(backup))).toBe(labelValue(backup));
  });

  it('loses the finalizers that the cluster adds again, and those of a deletion', () => {
    const cluster = [
      'foregroundDeletion',
      'orphan',
      'kubernetes.io/pvc-protection',
      'kubernetes.io/pv-protection',
      'service.kubernetes.io/load-balancer-cleanup',
      'batch.kubernetes.io/job-tracking',
      'external-attacher/ebs-csi-aws-com',
      'external-provisioner.volume.kubernetes.io/finalizer',
      'snapshot.storage.kubernetes.io/pvc-as-source-protection',
      'customresourcecleanup.apiextensions.k8s.io',
    ];
    const others = ['example.com/orphan', 'ingress.k8s.aws/resources'];
    const kept = (finalizers: unknown) => clean(of('Widget', {}, { finalizers })).metadata.finalizers;
    expect(kept([...cluster, ...others])).toEqual(others);
    expect(kept(cluster)).toBeUndefined();
    expect(kept('orphan')).toBe('orphan');
  });

  it('keeps fields that Holdfast does not know', () => {
    expect(clean({ ...of('ConfigMap', {}), data: { k: 'v' }, immutable: true })).toMatchObject({
      data: { k: 'v' },
      immutable: true,
    });
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

describe('a Secret', () => {
  const token = (data: object | undefined) =>
    clean({
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: {
        name: 'ci',
        annotations: { 'kubernetes.io/service-account.name': 'ci', 'kubernetes.io/service-account.uid': 'u' },
        labels: { 'kubernetes.io/legacy-token-last-used': '2026-01-01', app: 'ci' },
      },
      ...(data && { data }),
    });

  it('of an account’s token is created empty, so that the cluster fills it', () => {
    const secret = token({ token: 't', 'ca.crt': 'c', namespace: 'n' });
    expect(secret).not.toHaveProperty('data');
    expect(secret.metadata.annotations).toEqual({ 'kubernetes.io/service-account.name': 'ci' });
    expect(Object.keys(secret.metadata.labels ?? {})).toEqual(['app', BACKUP_LABEL, RESTORE_LABEL]);
  });

  it('of an account’s token keeps what somebody added to it', () => {
    expect(token({ token: 't', mine: 'm' }).data).toEqual({ mine: 'm' });
  });

  it('of another type keeps everything', () => {
    const data = { token: 't', 'ca.crt': 'c' };
    expect(clean({ kind: 'Secret', type: 'Opaque', metadata: { name: 'x' }, data }).data).toEqual(data);
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

describe('a claim', () => {
  const source = {
    dataSource: { kind: 'VolumeSnapshot', name: 's' },
    dataSourceRef: { kind: 'VolumeSnapshot', name: 's' },
  };
  const bound = { volumeName: 'pv-1', selector: { matchLabels: { a: 'b' } }, ...source };

  it.each([['csi-fast'], [undefined]])(
    'of class %s is provisioned anew: it names no volume and no source',
    (name) => {
      const spec = { accessModes: ['ReadWriteOnce'], ...(name && { storageClassName: name }) };
      expect(clean(of('PersistentVolumeClaim', { ...spec, ...bound })).spec).toEqual(spec);
    },
  );

  it('of a static volume keeps its volume and its selector, and is bound anew', () => {
    const annotations = {
      'pv.kubernetes.io/bind-completed': 'yes',
      'pv.kubernetes.io/bound-by-controller': 'yes',
    };
    const claim = clean(of('PersistentVolumeClaim', { storageClassName: '', ...bound }, { annotations }));
    expect(claim.spec).toEqual({ storageClassName: '', volumeName: 'pv-1', selector: bound.selector });
    expect(claim.metadata.annotations).toEqual({});
  });
});

describe('a PersistentVolume', () => {
  it('is reserved for its claim by name, whatever uid that gets', () => {
    const claimRef = { kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'share' };
    const spec = { nfs: { server: 's', path: '/' }, nodeAffinity: { required: {} } };
    const bound = { ...spec, claimRef: { ...claimRef, uid: 'u', resourceVersion: '7' } };
    expect(clean(of('PersistentVolume', bound)).spec).toEqual({ ...spec, claimRef });
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

  it.each([['a text'], [{ name: 'b' }], [[null, 1, 'b']]])(
    'is not changed for secrets of an odd type: %j',
    (secrets) => {
      expect(mergedAccount(account({ secrets: [{ name: 'a' }] }), account({ secrets }))).not.toHaveProperty(
        'secrets',
      );
    },
  );
});

describe('a binding that is there already', () => {
  const user = (name: string, more: object = {}) => ({ kind: 'User', name, ...more });
  const account = (namespace: string) => ({ kind: 'ServiceAccount', name: 'web', namespace });
  const binding = (subjects: unknown, metadata: object = {}): KubeObject => ({
    metadata: { name: 'b', ...metadata },
    subjects,
  });

  it('gets the missing subjects after its own', () => {
    const live = binding([user('b'), account('shop')], { resourceVersion: '7' });
    const wanted = binding([account('shop-copy'), user('b'), account('shop-copy')]);
    expect(withAddedSubjects(live, wanted)).toEqual({
      metadata: { resourceVersion: '7' },
      subjects: [user('b'), account('shop'), account('shop-copy')],
    });
  });

  it('knows a subject with and without the default of its group', () => {
    const live = binding([user('a', { apiGroup: 'rbac.authorization.k8s.io' }), account('shop')]);
    const wanted = binding([user('a'), { ...account('shop'), apiGroup: '' }]);
    expect(withAddedSubjects(live, wanted).subjects).toEqual(live.subjects);
  });

  it('gets those of a binding without any, and none of an odd type', () => {
    expect(withAddedSubjects(binding(undefined), binding([user('a')])).subjects).toEqual([user('a')]);
    expect(withAddedSubjects(binding([user('a')]), binding('b')).subjects).toEqual([user('a')]);
  });

  it('never loses a subject, nor has one twice, nor changes when done again', () => {
    const subject = fc.record({
      kind: fc.constantFrom('User', 'Group', 'ServiceAccount'),
      name: fc.constantFrom('a', 'b'),
      namespace: fc.constantFrom('x', 'y', undefined),
    });
    const subjects = fc.uniqueArray(subject, { selector: (s) => JSON.stringify(s) });
    fc.assert(
      fc.property(subjects, subjects, (had, got) => {
        const after = withAddedSubjects(binding(had), binding(got)).subjects;
        expect(after.slice(0, had.length)).toEqual(had);
        const both = new Set([...had, ...got].map((s) => JSON.stringify(s)));
        expect(new Set(after.map((s) => JSON.stringify(s)))).toEqual(both);
        expect(after).toHaveLength(both.size);
        expect(withAddedSubjects(binding(after), binding(got)).subjects).toEqual(after);
      }),
    );
  });
});
