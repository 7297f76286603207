import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep, until } from '../support/cluster-api.ts';
import { Pipeline } from '../support/dirty.ts';
import { configMap, namespace, podSpec, workload } from '../support/dirty-manifests.ts';

// Right restores must be green: what controllers write, what is there and equal, what a mapping changes by itself.
const pipeline = new Pipeline();
const { api } = pipeline;
const used = new Set<string>();
const use = (...names: string[]) => {
  for (const name of names) used.add(name);
};
const RBAC = 'rbac.authorization.k8s.io';
const ready = (ref: string) =>
  until(`${ref} is ready`, async () => {
    const { status, spec, metadata } = await api.get(ref);
    const wanted = ref.startsWith('daemonsets') ? status?.desiredNumberScheduled : spec?.replicas;
    const now = ref.startsWith('daemonsets') ? status?.numberReady : status?.readyReplicas;
    const updated = status?.updatedReplicas ?? status?.updatedNumberScheduled;
    return status?.observedGeneration === metadata.generation && wanted === now && updated === wanted;
  });

beforeAll(() => pipeline.open());
afterAll(async () => {
  await api.gone(...used);
  await api.remove(
    `clusterrolebindings.${RBAC} green-nodes`,
    'mutatingwebhookconfigurations.admissionregistration.k8s.io green-injected',
  );
  await pipeline.close();
});

describe.concurrent('a restore is green', () => {
  it('over workloads that were rolled out more than once, are scaled meanwhile, and elect leaders', async () => {
    use('green-work');
    await api.create(`${namespace('green-work')}${workload('Deployment', 'green-work/web')}${workload('Deployment', 'green-work/scaled')}${workload('DaemonSet', 'green-work/agent', '')}${workload('StatefulSet', 'green-work/db', 'serviceName: db, replicas: 1,')}
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: { name: operator, namespace: green-work }
spec: { holderIdentity: old-pod, leaseDurationSeconds: 15, renewTime: "2026-01-01T00:00:00.000000Z", leaseTransitions: 1 }
`);
    const rolled = [
      'deployments.apps green-work/web',
      'daemonsets.apps green-work/agent',
      'statefulsets.apps green-work/db',
    ];
    for (const v of ['1', '2']) {
      for (const ref of rolled)
        await api.patch(ref, { spec: { template: { metadata: { annotations: { v } } } } });
      for (const ref of rolled) await ready(ref);
    }
    const point = await pipeline.backup(['green-work']);
    await api.gone('green-work');
    let renewing = true;
    const controllers = (async () => {
      for (let n = 2; renewing; n++, await sleep(300)) {
        // Another pod becomes the leader, and an autoscaler scales.
        const lease = { holderIdentity: 'new-pod', leaseTransitions: n };
        await api
          .patch('leases.coordination.k8s.io green-work/operator', { spec: lease })
          .catch(() => undefined);
        await api
          .patch('deployments.apps green-work/scaled#scale', { spec: { replicas: 2 } })
          .catch(() => undefined);
      }
    })();
    const restored = await pipeline.restore(point, {}, { readySeconds: 60 });
    renewing = false;
    await controllers;
    expect(restored.wrong).toEqual([]);
    expect(restored.results('deployments.apps green-work/web', 'deployments.apps green-work/scaled')).toEqual(
      ['created', 'created'],
    );
    expect(restored.results('leases.coordination.k8s.io green-work/operator')).toEqual(['skipped']);
  });

  it('under a namespaceMapping: labels, policies, bindings and accounts follow', async () => {
    use('green-map', 'green-map-db', 'green-map-copy', 'green-map-db-copy');
    const subjects = (ns: string) =>
      `[{ kind: ServiceAccount, name: web, namespace: ${ns} }, { kind: Group, apiGroup: ${RBAC}, name: "system:serviceaccounts:${ns}" }, { kind: User, apiGroup: ${RBAC}, name: "system:serviceaccount:${ns}:web" }]`;
    await api.create(`${namespace('green-map')}${namespace('green-map-db')}
apiVersion: v1
kind: ServiceAccount
metadata: { name: web, namespace: green-map }
---
apiVersion: ${RBAC}/v1
kind: RoleBinding
metadata: { name: web, namespace: green-map-db }
roleRef: { apiGroup: ${RBAC}, kind: ClusterRole, name: view }
subjects: ${subjects('green-map')}
---
apiVersion: ${RBAC}/v1
kind: ClusterRoleBinding
metadata: { name: green-nodes }
roleRef: { apiGroup: ${RBAC}, kind: ClusterRole, name: view }
subjects: [{ kind: ServiceAccount, name: web, namespace: green-map }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: only-web, namespace: green-map-db }
spec: { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: green-map } } }, { namespaceSelector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: In, values: [green-map, other] }] } }] }] }
`);
    const point = await pipeline.backup(['green-map', 'green-map-db']);
    const namespaceMapping = { 'green-map': 'green-map-copy', 'green-map-db': 'green-map-db-copy' };
    const restored = await pipeline.restore(point, { namespaceMapping });
    const binding = await api.get(`rolebindings.${RBAC} green-map-db-copy/web`);
    expect(
      (binding.subjects as { name: string; namespace?: string }[]).map((s) => s.namespace ?? s.name),
    ).toEqual([
      'green-map-copy',
      'system:serviceaccounts:green-map-copy',
      'system:serviceaccount:green-map-copy:web',
    ]);
    const policy = await api.get('networkpolicies.networking.k8s.io green-map-db-copy/only-web');
    expect(JSON.stringify(policy.spec)).not.toMatch(/green-map"/);
    expect(JSON.stringify(policy.spec).match(/green-map-copy/g)).toHaveLength(2);
    expect(
      (await api.get('namespaces green-map-copy')).metadata.labels?.['kubernetes.io/metadata.name'],
    ).toBe('green-map-copy');
    // The original keeps its rights, and the copy has them too, or the report says why not.
    const granted = (
      (await api.get(`clusterrolebindings.${RBAC} green-nodes`)).subjects as { namespace: string }[]
    ).map((s) => s.namespace);
    expect(granted).toContain('green-map');
    expect(granted).toContain('green-map-copy');
    expect(restored.wrong).toEqual([]);
    const again = await pipeline.restore(point, { namespaceMapping, existingResources: 'update' });
    expect(again.with('updated', 'created', 'failed', 'held')).toEqual([]);
    expect(((await api.get(`clusterrolebindings.${RBAC} green-nodes`)).subjects as object[]).length).toBe(2);
  });

  it('where roles that every cluster has are bound', async () => {
    use('green-roles');
    const binding = (role: string) => `
apiVersion: ${RBAC}/v1
kind: RoleBinding
metadata: { name: team-${role}, namespace: green-roles }
roleRef: { apiGroup: ${RBAC}, kind: ClusterRole, name: ${role} }
subjects: [{ kind: Group, apiGroup: ${RBAC}, name: team }]
---`;
    await api.create(
      `${namespace('green-roles')}${['admin', 'edit', 'view', 'cluster-admin'].map(binding).join('')}`,
    );
    const point = await pipeline.backup(['green-roles']);
    const untouched = await pipeline.restore(point);
    expect(untouched.wrong).toEqual([]);
    await api.gone('green-roles');
    const restored = await pipeline.restore(point);
    expect(restored.with('held')).toEqual([
      expect.stringContaining(`rolebindings.${RBAC} green-roles/team-cluster-admin`),
    ]);
    expect(
      restored
        .results(`clusterroles.${RBAC} edit`, `clusterroles.${RBAC} admin`)
        .filter((r) => r !== undefined && r !== 'unchanged'),
    ).toEqual([]);
    const allowed = await pipeline.restore(point, {
      allow: [`rolebindings.${RBAC}/green-roles/team-cluster-admin`],
    });
    expect(allowed.wrong).toEqual([]);
  });

  it('over equal objects that the API server would refuse: a node port, a full quota of everything', async () => {
    use('green-full');
    const hard =
      '{ count/configmaps: "2", pods: "1", count/horizontalpodautoscalers.autoscaling: "1", count/poddisruptionbudgets.policy: "1", count/limitranges: "1", services: "1", count/resourcequotas: "1" }';
    await api.create(`${namespace('green-full')}
apiVersion: v1
kind: Service
metadata: { name: front, namespace: green-full, labels: { v: "1" } }
spec: { type: NodePort, selector: { app: x }, ports: [{ port: 80, nodePort: 31404 }] }
---${configMap('green-full/one', '{ a: "1" }')}
apiVersion: v1
kind: LimitRange
metadata: { name: small, namespace: green-full }
spec: { limits: [{ type: Container, default: { cpu: 100m }, defaultRequest: { cpu: 1m } }] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: min, namespace: green-full }
spec: { maxReplicas: 2, scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: nobody } }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: one, namespace: green-full }
spec: { minAvailable: 1, selector: { matchLabels: { app: x } } }
---
apiVersion: v1
kind: Pod
metadata: { name: bare, namespace: green-full }
spec: ${podSpec()}
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: full, namespace: green-full }
spec: { hard: ${hard} }
`);
    const quota = async () =>
      (await api.get('resourcequotas green-full/full')).status?.used as Record<string, string> | undefined;
    await until(
      'the quota is full',
      async () => (await quota())?.pods === '1' && (await quota())?.services === '1',
    );
    const point = await pipeline.backup(['green-full']);
    const before = await quota();
    for (const allow of [[], ['*']]) {
      const restored = await pipeline.restore(point, { allow });
      expect(restored.wrong).toEqual([]);
      expect(restored.with('created', 'updated')).toEqual([]);
    }
    expect(await quota()).toEqual(before);
    await api.patch('services green-full/front', { metadata: { labels: { v: '2' } } });
    const updated = await pipeline.restore(point, {
      existingResources: 'update',
      includedResources: ['services'],
    });
    expect(updated.results('services green-full/front')).toEqual(['updated']);
    expect((await api.get('services green-full/front')).metadata.labels?.v).toBe('1');
  });

  it('with webhook configurations whose caBundle a controller fills', async () => {
    use('green-hooks');
    const name = 'mutatingwebhookconfigurations.admissionregistration.k8s.io green-injected';
    const bundle = (text: string) => ({
      webhooks: [{ ...hook, clientConfig: { ...hook.clientConfig, caBundle: btoa(text) } }],
    });
    const hook = {
      name: 'a.green.test',
      failurePolicy: 'Ignore',
      sideEffects: 'None',
      timeoutSeconds: 1,
      admissionReviewVersions: ['v1'],
      clientConfig: { service: { name: 'nobody', namespace: 'green-hooks', path: '/' } },
      rules: [
        { apiGroups: ['green.test'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['nothing'] },
      ],
    };
    await api.create(namespace('green-hooks'));
    await api.create([
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'MutatingWebhookConfiguration',
        metadata: { name: 'green-injected' },
        webhooks: [hook],
      },
    ]);
    await api.patch(name, bundle(CERTIFICATE('old')), 'cainjector');
    const point = await pipeline.backup(['green-hooks'], {
      includedClusterScopedResources: ['mutatingwebhookconfigurations.admissionregistration.k8s.io'],
    });
    await api.patch(name, bundle(CERTIFICATE('new')), 'cainjector');
    const there = await pipeline.restore(point, { includeClusterResources: true });
    expect(there.results(name)).toEqual(['unchanged']);
    expect(there.wrong).toEqual([]);
  });
});

/** What the API server takes as a certificate authority: PEM that it does not look into further than it must. */
const CERTIFICATE = (of: string) => `-----BEGIN CERTIFICATE-----\n${btoa(of)}\n-----END CERTIFICATE-----\n`;
