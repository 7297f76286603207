import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { configMap, namespace, podSpec, workload } from '../support/dirty-manifests.ts';

// A restore must not harm what runs: it looks before it writes, and `update` makes an object as it was.
const pipeline = new Pipeline();
const { api } = pipeline;
const used = new Set<string>();
const use = (...names: string[]) => {
  for (const name of names) used.add(name);
};
const RBAC = 'rbac.authorization.k8s.io';
const REVOKED = [`clusterrolebindings.${RBAC} harm-revoked`, `clusterroles.${RBAC} harm-revoked`];

beforeAll(() => pipeline.open());
afterAll(async () => {
  await api.gone(...used);
  await api.remove(...REVOKED);
  await pipeline.close();
});

describe.concurrent('a restore over objects that were changed', () => {
  it('with update makes each as it was: it removes what was added, and says what it cannot change', async () => {
    use('harm-update');
    await api.create(`${namespace('harm-update', '{ team: a }')}${configMap('harm-update/settings', '{ color: blue }')}
apiVersion: v1
kind: Secret
metadata: { name: keys, namespace: harm-update }
stringData: { a: one }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: harm-update }
spec: { schedule: "0 3 1 1 *", jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: c, image: "docker.io/library/busybox:1.37" }] } } } } }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny, namespace: harm-update }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: ${RBAC}/v1
kind: Role
metadata: { name: reader, namespace: harm-update }
rules: [{ apiGroups: [""], resources: [configmaps], verbs: [get] }]
---${workload('Deployment', 'harm-update/web')}
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: harm-update, labels: { color: blue } }
spec: ${podSpec()}
---
apiVersion: v1
kind: Pod
metadata: { name: other, namespace: harm-update }
spec: ${podSpec()}
`);
    const point = await pipeline.backup(['harm-update']);
    await api.patch('configmaps harm-update/settings', { data: { injected: 'after' } });
    await api.patch('secrets harm-update/keys', { data: { evil: 'ZXZpbA==' } });
    await api.patch('cronjobs.batch harm-update/nightly', {
      spec: { suspend: true, startingDeadlineSeconds: 5 },
    });
    await api.patch('networkpolicies.networking.k8s.io harm-update/deny', { spec: { egress: [{}] } });
    await api.patch(`roles.${RBAC} harm-update/reader`, {
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'delete'] }],
    });
    await api.patch('deployments.apps harm-update/web', {
      spec: { template: { spec: { nodeSelector: { no: 'where' } } } },
    });
    await api.patch('pods harm-update/bare', { metadata: { labels: { color: 'red' } } });
    await api.patch('pods harm-update/other', { spec: { activeDeadlineSeconds: 86_400 } });
    await api.patch('namespaces harm-update', { metadata: { labels: { team: 'b' } } });
    const changed = [
      'configmaps harm-update/settings',
      'secrets harm-update/keys',
      'cronjobs.batch harm-update/nightly',
      'networkpolicies.networking.k8s.io harm-update/deny',
      `roles.${RBAC} harm-update/reader`,
      'deployments.apps harm-update/web',
      'pods harm-update/bare',
    ];
    const skipped = await pipeline.restore(point, {}, { readySeconds: 1 });
    expect(skipped.results(...changed)).toEqual(changed.map(() => 'skipped'));
    const updated = await pipeline.restore(point, { existingResources: 'update' });
    expect(updated.results(...changed)).toEqual(changed.map(() => 'updated'));
    const spec = async (ref: string) => (await api.get(ref)).spec as Record<string, unknown>;
    expect((await api.get('configmaps harm-update/settings')).data).toEqual({ color: 'blue' });
    expect(Object.keys((await api.get('secrets harm-update/keys')).data as object)).toEqual(['a']);
    expect(await spec('cronjobs.batch harm-update/nightly')).not.toHaveProperty('startingDeadlineSeconds');
    expect((await spec('cronjobs.batch harm-update/nightly')).suspend).toBe(false);
    expect(await spec('networkpolicies.networking.k8s.io harm-update/deny')).not.toHaveProperty('egress');
    expect((await api.get(`roles.${RBAC} harm-update/reader`)).rules).toEqual([
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
    ]);
    expect(JSON.stringify(await spec('deployments.apps harm-update/web'))).not.toContain('no');
    expect((await api.get('pods harm-update/bare')).metadata.labels?.color).toBe('blue');
    expect((await api.get('namespaces harm-update')).metadata.labels?.team).toBe('a');
    // What the API server lets nobody take back is told, and costs nothing else.
    expect(updated.reason('pods harm-update/other')).toMatch(/activeDeadlineSeconds/);
    expect(updated.phase).toBe('PartiallyFailed');
  });

  it('that nobody changed writes nothing: resourceVersions and the used quota stay', async () => {
    use('harm-quota');
    const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: harm-quota }
spec: { selector: { app: x }, ports: [{ port: 80 }] }
---`;
    await api.create(`${namespace('harm-quota')}
apiVersion: v1
kind: ResourceQuota
metadata: { name: q, namespace: harm-quota }
spec: { hard: { services: "4", count/configmaps: "10" } }
`);
    const used = async () =>
      ((await api.get('resourcequotas harm-quota/q')).status?.used ?? {}) as Record<string, string>;
    await until('the quota counts', async () => (await used()).services === '0');
    await api.create(`${['a', 'b', 'c'].map(service).join('')}${configMap('harm-quota/one', '{ a: "1" }')}`);
    await until(
      'three are used',
      async () => (await used()).services === '3' && (await used())['count/configmaps'] === '2',
    );
    const point = await pipeline.backup(['harm-quota']);
    const versions = async () => {
      const all = await Promise.all(
        ['services', 'configmaps', 'resourcequotas', 'serviceaccounts'].map((t) => api.list(t, 'harm-quota')),
      );
      return all.flat().map(({ metadata }) => [metadata.name, metadata.resourceVersion]);
    };
    const before = await versions();
    for (const existingResources of ['skip', 'update', 'skip'] as const)
      expect((await pipeline.restore(point, { existingResources, allow: ['*'] })).wrong).toEqual([]);
    expect(await used()).toMatchObject({ services: '3', 'count/configmaps': '2' });
    expect(await versions()).toEqual(before);
    const mine = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'mine', namespace: 'harm-quota' },
      spec: { ports: [{ port: 80 }] },
    };
    expect((await api.tryCreate(mine)).status).toBe(201);
  });

  it('of a Service that became headless: it is as it was, or failed with the way to do it', async () => {
    use('harm-headless');
    const service = (clusterIP: string) => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: harm-headless }
spec: { ${clusterIP} selector: { app: x }, ports: [{ port: 80 }] }`;
    await api.create(`${namespace('harm-headless')}${service('')}`);
    const point = await pipeline.backup(['harm-headless']);
    await api.remove('services harm-headless/web');
    await api.create(service('clusterIP: None,'));
    const skipped = await pipeline.restore(point);
    expect(skipped.results('services harm-headless/web')).toEqual(['skipped']);
    const updated = await pipeline.restore(point, { existingResources: 'update' });
    const [result] = updated.results('services harm-headless/web');
    const { clusterIP } = (await api.get('services harm-headless/web')).spec as { clusterIP: string };
    expect([result, clusterIP === 'None']).toEqual(
      result === 'updated' ? ['updated', false] : ['failed', true],
    );
    if (result === 'failed')
      expect(updated.reason('services harm-headless/web')).toMatch(/clusterIP.*delete/is);
  });

  it('keeps what an autoscaler set, also with update', async () => {
    use('harm-scaled');
    await api.create(`${namespace('harm-scaled')}${workload('Deployment', 'harm-scaled/web')}`);
    const point = await pipeline.backup(['harm-scaled']);
    await api.patch(
      'deployments.apps harm-scaled/web#scale',
      { spec: { replicas: 2 } },
      'kube-controller-manager',
    );
    const restored = await pipeline.restore(point);
    expect(restored.differing).toEqual([]);
    expect(restored.wrong).toEqual([]);
  });
});

describe.concurrent('a restore writes nothing that was not asked for', () => {
  it('one namespace of a whole-cluster recovery point brings no revoked binding back', async () => {
    use('harm-one');
    await api.create(`${namespace('harm-one')}${configMap('harm-one/a', '{ a: "1" }')}
apiVersion: ${RBAC}/v1
kind: ClusterRole
metadata: { name: harm-revoked }
rules: [{ apiGroups: [""], resources: [secrets], verbs: [get] }]
---
apiVersion: ${RBAC}/v1
kind: ClusterRoleBinding
metadata: { name: harm-revoked }
roleRef: { apiGroup: ${RBAC}, kind: ClusterRole, name: harm-revoked }
subjects: [{ kind: User, apiGroup: ${RBAC}, name: gone }]
`);
    const point = await pipeline.backup(['*'], {
      includedResources: ['configmaps', 'namespaces', `clusterroles.${RBAC}`, `clusterrolebindings.${RBAC}`],
    });
    await api.remove(...REVOKED);
    await api.gone('harm-one');
    const restored = await pipeline.restore(point, { namespaces: ['harm-one'] });
    expect(restored.results('configmaps harm-one/a')).toEqual(['created']);
    expect(await Promise.all(REVOKED.map((ref) => api.find(ref)))).toEqual([undefined, undefined]);
    expect(restored.wrong).toEqual([]);
    // On request it comes, as everything does.
    const asked = await pipeline.restore(point, {
      namespaces: ['harm-one'],
      includeClusterResources: true,
      includedResources: [`clusterroles.${RBAC}`],
      allow: [`clusterroles.${RBAC}/harm-revoked`],
    });
    expect(asked.results(REVOKED[1] as string)).toEqual(['created']);
  });

  it.each([
    ['a mapping of a namespace that it does not hold', { namespaceMapping: { typo: 'copy' } }, /typo/],
    ['a type that nothing has', { includedResources: ['deployment'] }, /deployment/],
    [
      'a pattern that is no regular expression',
      {
        resourceModifiers: [
          {
            conditions: { groupResource: 'configmaps', resourceNameRegex: '(' },
            patches: [{ op: 'add' as const, path: '/data/a', value: '1' }],
          },
        ],
      },
      /regular expression|regex/i,
    ],
    [
      'a patch without a value',
      {
        resourceModifiers: [
          { conditions: { groupResource: 'configmaps' }, patches: [{ op: 'add' as const, path: '/data/a' }] },
        ],
      },
      /value/,
    ],
    [
      'a selector that selects nothing',
      { labelSelector: 'nobody=has-it', includedResources: ['configmaps'] },
      /nobody|select|nothing|no object/i,
    ],
    [
      'a storage class that the cluster does not have',
      { storageClassMapping: { 'holdfast-folders': 'not-there' } },
      /not-there/,
    ],
  ])('is refused before anything is written: %s', async (_, input, words) => {
    use('harm-refused');
    await api.tryCreate({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'harm-refused' } });
    const claim = {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'holdfast-folders',
      resources: { requests: { storage: '1Mi' } },
    };
    await api.tryCreate({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', namespace: 'harm-refused' },
      spec: claim,
    });
    const point = await pipeline.backup(['harm-refused']);
    const before = point.vault.objects.size;
    const error = await pipeline.restore(point, input).then(
      () => undefined,
      (e: Error & { hint?: string }) => e,
    );
    expect(`${error?.message} ${error?.hint}`).toMatch(words);
    expect(point.vault.objects.size).toBe(before);
  });

  it('keeps the identity of a cluster out of another', async () => {
    const identity = [
      'configmaps kube-system/extension-apiserver-authentication',
      'endpoints default/kubernetes',
      'endpointslices.discovery.k8s.io default/kubernetes',
      'configmaps default/kube-root-ca.crt',
    ];
    const point = await pipeline.backup(['kube-system', 'default', 'kube-node-lease']);
    const copies = await Promise.all(identity.map((ref) => api.get(ref)));
    const data = copies.map((o) =>
      o.data
        ? { data: Object.fromEntries(Object.keys(o.data as object).map((k) => [k, 'of another cluster'])) }
        : { subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 1 }] }] },
    );
    const things = await Promise.all(
      copies.map(
        async (o, i) =>
          [
            await api.type((identity[i] as string).split(' ')[0] as string),
            { ...o, ...(data[i] as object) },
          ] as const,
      ),
    );
    const foreign = await pipeline.pointOf(things, ['kube-system', 'default']);
    for (const from of [foreign, point]) {
      const restored = await pipeline.restore(from, { existingResources: 'update', allow: ['*'] });
      const written = new Set(
        restored.with('updated', 'created', 'failed').map((line) => line.split(':')[0]),
      );
      expect(identity.filter((ref) => written.has(ref))).toEqual([]);
      expect([...written].filter((ref) => /^(leases|nodes|csinodes)/.test(ref as string))).toEqual([]);
    }
  });
});
