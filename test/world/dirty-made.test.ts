import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { namespace, podSpec, workload } from '../support/dirty-manifests.ts';

// What the cluster makes by itself, and what a person made of the same type: the object decides, not its type.
const pipeline = new Pipeline();
const { api } = pipeline;
const used = new Set<string>();
const use = (...names: string[]) => {
  for (const name of names) used.add(name);
};
const STATIC = 'persistentvolumes made-static';
const SLICES = 'endpointslices.discovery.k8s.io';
const SNAPSHOT =
  'dataSource: { apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: before-upgrade }';

beforeAll(() => pipeline.open());
afterAll(async () => {
  await api.gone(...used);
  await api.remove(STATIC);
  await pipeline.close();
});

const claim = (place: string, spec: string, metadata = '') => {
  const [ns, name] = place.split('/');
  return `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name}, namespace: ${ns}${metadata && `, ${metadata}`} }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } }, ${spec} }
---`;
};

describe.concurrent('a restore brings back', () => {
  it('the EndpointSlices and Endpoints that a person or a mesh wrote', async () => {
    use('made-slices');
    const slice = (name: string, labels: string, address: string) => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, namespace: made-slices, labels: ${labels} }
addressType: IPv4
ports: [{ name: pg, port: 5432, protocol: TCP }]
endpoints: [{ addresses: ["${address}"] }]
---`;
    const service = (name: string, more = '') => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: made-slices }
spec: { ${more} ports: [{ name: pg, port: 5432 }] }
---`;
    await api.create(`${namespace('made-slices')}${service('db')}${service('mq')}${service('web', 'selector: { app: web },')}${slice('db-1', '{ kubernetes.io/service-name: db, endpointslice.kubernetes.io/managed-by: staff }', '192.0.2.10')}${slice('db-2', '{ kubernetes.io/service-name: db }', '192.0.2.12')}${workload('Deployment', 'made-slices/web')}
apiVersion: v1
kind: Endpoints
metadata: { name: mq, namespace: made-slices }
subsets: [{ addresses: [{ ip: 192.0.2.11 }], ports: [{ name: pg, port: 5432 }] }]
`);
    await until('the slice of web', async () => (await api.list(SLICES, 'made-slices')).length >= 4);
    const point = await pipeline.backup(['made-slices']);
    await api.gone('made-slices');
    const restored = await pipeline.restore(point);
    expect(
      restored.results(
        `${SLICES} made-slices/db-1`,
        `${SLICES} made-slices/db-2`,
        'endpoints made-slices/mq',
      ),
    ).toEqual(['created', 'created', 'created']);
    const slices = await until('all slices', async () => {
      const all = await api.list(SLICES, 'made-slices');
      return all.length >= 4 && all;
    });
    const of = (service: string) =>
      slices.filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === service);
    expect([of('db').length, of('mq').length, of('web').length]).toEqual([2, 1, 1]);
    expect(restored.wrong).toEqual([]);
  });

  it('long-lived token Secrets, for the token controller to fill, with managedFields or without', async () => {
    use('made-tokens');
    await api.create(`${namespace('made-tokens')}
apiVersion: v1
kind: ServiceAccount
metadata: { name: ci, namespace: made-tokens }
---
apiVersion: v1
kind: Secret
metadata: { name: ci-credentials, namespace: made-tokens, annotations: { kubernetes.io/service-account.name: ci } }
type: kubernetes.io/service-account-token
---${workload('Deployment', 'made-tokens/agent', 'replicas: 1,', podSpec(', volumeMounts: [{ name: t, mountPath: /token }]', 'volumes: [{ name: t, secret: { secretName: ci-credentials } }],'))}`);
    const token = () =>
      until(
        'the token',
        async () =>
          ((await api.find('secrets made-tokens/ci-credentials'))?.data as { token?: string } | undefined)
            ?.token,
      );
    const before = await token();
    const point = await pipeline.backup(['made-tokens']);
    const objects = await Promise.all(
      ['namespaces made-tokens', 'serviceaccounts made-tokens/ci', 'secrets made-tokens/ci-credentials'].map(
        async (ref) => {
          const { metadata, ...object } = await api.get(ref);
          const { managedFields: _, ...rest } = metadata;
          return [await api.type(ref.split(' ')[0] as string), { ...object, metadata: rest }] as const;
        },
      ),
    );
    const older = await pipeline.pointOf(objects, ['made-tokens']);
    for (const from of [point, older]) {
      await api.gone('made-tokens');
      const restored = await pipeline.restore(from);
      expect(restored.results('secrets made-tokens/ci-credentials')).toEqual(['created']);
      expect(await token()).not.toBe(before);
      expect(restored.wrong).toEqual([]);
    }
  });

  it('claims without the snapshot or label that they came from, and static volumes', async () => {
    use('made-claims');
    await api.create(`${namespace('made-claims')}${claim('made-claims/from-snapshot', `storageClassName: gone, ${SNAPSHOT}`)}${claim('made-claims/cloned', 'storageClassName: gone, dataSource: { kind: PersistentVolumeClaim, name: master }')}${claim('made-claims/selected', 'storageClassName: gone, selector: { matchLabels: { velero.io/dynamic-pv-restore: x } }')}${claim('made-claims/share', 'storageClassName: "", volumeName: made-static')}
apiVersion: v1
kind: PersistentVolume
metadata: { name: made-static }
spec: { capacity: { storage: 1Gi }, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Retain, storageClassName: "", claimRef: { namespace: made-claims, name: share }, nfs: { server: 192.0.2.20, path: /share } }
`);
    const bound = () =>
      until(
        'share is bound',
        async () => (await api.get('persistentvolumeclaims made-claims/share')).status?.phase === 'Bound',
        30,
      );
    await bound();
    const point = await pipeline.backup(['made-claims']);
    await api.gone('made-claims');
    await api.remove(STATIC);
    const restored = await pipeline.restore(point, {}, { readySeconds: 10 });
    const specs = await Promise.all(
      ['from-snapshot', 'cloned', 'selected'].map(
        async (n) => (await api.get(`persistentvolumeclaims made-claims/${n}`)).spec ?? {},
      ),
    );
    expect(specs.map((s) => [s.dataSource, s.dataSourceRef, s.selector])).toEqual(
      specs.map(() => [undefined, undefined, undefined]),
    );
    expect(restored.results(STATIC)).toEqual(['created']);
    await bound();
    // Their class is not there: they wait for ever, and the report says so.
    expect(restored.notReady.join('\n')).toMatch(/persistentvolumeclaims made-claims\/selected/);
    expect(restored.notReady.join('\n')).not.toMatch(/made-claims\/share/);
    expect(restored.differing).toEqual([]);
    expect(restored.phase).toBe('PartiallyFailed');
  });

  it('pods with ephemeral volumes, whose claims are left to the pods', async () => {
    use('made-ephemeral');
    const spec = podSpec(
      ', volumeMounts: [{ name: scratch, mountPath: /s }]',
      'volumes: [{ name: scratch, ephemeral: { volumeClaimTemplate: { spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } } } } }],',
    );
    await api.create(`${namespace('made-ephemeral')}${workload('StatefulSet', 'made-ephemeral/set', 'serviceName: set, replicas: 1,', spec)}${workload('Deployment', 'made-ephemeral/web', 'replicas: 1,', spec)}
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: made-ephemeral }
spec: ${spec}
`);
    const running = () =>
      until(
        'three pods run',
        async () => {
          const pods = await api.list('pods', 'made-ephemeral');
          return pods.length === 3 && pods.every((p) => p.status?.phase === 'Running');
        },
        60,
      );
    await running();
    const point = await pipeline.backup(['made-ephemeral']);
    await api.gone('made-ephemeral');
    const restored = await pipeline.restore(point, {}, { readySeconds: 60 });
    await running();
    const claims = await api.list('persistentvolumeclaims', 'made-ephemeral');
    expect(claims.filter((c) => !c.metadata.ownerReferences).map((c) => c.metadata.name)).toEqual([]);
    expect(restored.wrong).toEqual([]);
  });

  it('nothing that has ended, and what runs: a Job under way, a bare pod, a ReplicaSet of its own', async () => {
    use('made-ended');
    const job = (name: string, command: string) => `
apiVersion: batch/v1
kind: Job
metadata: { name: ${name}, namespace: made-ended }
spec: { template: { spec: { restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: [{ name: c, image: "docker.io/library/busybox:1.37", imagePullPolicy: IfNotPresent, command: [${command}] }] } } }
---`;
    await api.create(`${namespace('made-ended')}${job('done', '"true"')}${job('under-way', 'sleep, "1000"')}${workload('ReplicaSet', 'made-ended/alone')}
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: made-ended }
spec: ${podSpec()}
`);
    const ended = async () =>
      ((await api.get('jobs.batch made-ended/done')).status?.succeeded as number) === 1;
    await until('the Job has ended', ended);
    const point = await pipeline.backup(['made-ended']);
    await api.gone('made-ended');
    const restored = await pipeline.restore(point);
    expect(
      restored.results(
        'jobs.batch made-ended/done',
        'jobs.batch made-ended/under-way',
        'replicasets.apps made-ended/alone',
        'pods made-ended/bare',
      ),
    ).toEqual(['skipped', 'created', 'created', 'created']);
    expect(restored.wrong).toEqual([]);
    expect((await api.get('pods made-ended/bare')).status?.phase).toBe('Running');
  });

  it('bare pods and Jobs that never run are told, with the reason', async () => {
    use('made-stuck');
    await api.create(`${namespace('made-stuck')}
apiVersion: v1
kind: Pod
metadata: { name: nowhere, namespace: made-stuck }
spec: ${podSpec('', 'nodeSelector: { no: where },')}
---
apiVersion: batch/v1
kind: Job
metadata: { name: nowhere, namespace: made-stuck }
spec: { template: { spec: ${podSpec('', 'nodeSelector: { no: where }, restartPolicy: Never,')} } }
---${workload('ReplicaSet', 'made-stuck/nowhere', 'replicas: 1,', podSpec('', 'nodeSelector: { no: where },'))}`);
    const point = await pipeline.backup(['made-stuck']);
    await api.gone('made-stuck');
    const restored = await pipeline.restore(point, {}, { readySeconds: 5 });
    const told = restored.notReady.join('\n');
    for (const ref of [
      'pods made-stuck/nowhere',
      'jobs.batch made-stuck/nowhere',
      'replicasets.apps made-stuck/nowhere',
    ])
      expect(told).toContain(ref);
    expect(restored.phase).toBe('PartiallyFailed');
  });
});
