import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../../../../functions/core/kubernetes/resources.ts';
import { dirtyCluster } from '../../../support/dirty-cluster.ts';
import { planOfObjects, type Stored } from '../../../support/plans.ts';

/** Where an archive has an object of a built-in type. */
function storedOf(object: KubeObject): Stored {
  const [version = '', group = ''] = String(object.apiVersion).split('/').reverse();
  const kind = String(object.kind).toLowerCase();
  const plural = kind.endsWith('s') ? `${kind}es` : `${kind}s`.replace(/ys$/, 'ies');
  const { name, namespace } = object.metadata;
  return [{ groupResource: group ? `${plural}.${group}` : plural, version, name, namespace }, object];
}

function held(objects: readonly KubeObject[]): string[] {
  const namespaces = [
    ...new Set(
      objects.flatMap((o) => (o.kind === 'Namespace' ? o.metadata.name : (o.metadata.namespace ?? []))),
    ),
  ];
  return planOfObjects(objects.map(storedOf), { namespaces })
    .filter((i) => i.action === 'hold')
    .map((i) => `${i.groupResource} ${i.name}`);
}

const parsed = (text: string): KubeObject[] => parseAllDocuments(text).map((d) => d.toJS() as KubeObject);

/** What charts of operators and of applications create, as they do by default when they are confined to their namespace. */
const CHARTS = `
apiVersion: v1
kind: Namespace
metadata: { name: queue, labels: { control-plane: controller-manager, pod-security.kubernetes.io/enforce: baseline, istio-injection: enabled } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: operator, namespace: queue, annotations: { eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/queue" } }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: leader-election, namespace: queue }
rules:
  - { apiGroups: [""], resources: [configmaps], verbs: [get, list, watch, create, update, patch, delete] }
  - { apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update, patch, delete] }
  - { apiGroups: [""], resources: [events], verbs: [create, patch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: leader-election, namespace: queue }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: leader-election }
subjects: [{ kind: ServiceAccount, name: operator, namespace: queue }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: operator, namespace: queue }
rules:
  - { apiGroups: ["", apps, batch], resources: [pods, pods/exec, secrets, services, deployments, statefulsets, jobs, serviceaccounts], verbs: [get, list, watch, create, update, patch, delete] }
  - { apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [get, create, update] }
  - { apiGroups: [queue.example.com], resources: ["*"], verbs: ["*"] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: operator, namespace: queue }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator }
subjects: [{ kind: ServiceAccount, name: operator, namespace: queue }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: queues-viewer, labels: { rbac.authorization.k8s.io/aggregate-to-view: "true" } }
rules: [{ apiGroups: [queue.example.com], resources: [queues, queues/status], verbs: [get, list, watch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: queues-editor, labels: { rbac.authorization.k8s.io/aggregate-to-edit: "true" } }
rules: [{ apiGroups: [queue.example.com], resources: [queues], verbs: [create, delete, patch, update] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: queue-metrics }
rules:
  - { nonResourceURLs: [/metrics], verbs: [get] }
  - { apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create] }
  - { apiGroups: [authorization.k8s.io], resources: [subjectaccessreviews], verbs: [create] }
  - { apiGroups: [""], resources: [nodes, nodes/metrics, pods, namespaces, configmaps, events], verbs: [get, list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: queue-metrics }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: queue-metrics }
subjects: [{ kind: ServiceAccount, name: operator, namespace: queue }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: queue-auth-reader, namespace: kube-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: extension-apiserver-authentication-reader }
subjects: [{ kind: ServiceAccount, name: operator, namespace: queue }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: operator, namespace: queue }
spec:
  template:
    metadata: { annotations: { seccomp.security.alpha.kubernetes.io/pod: runtime/default } }
    spec:
      serviceAccountName: operator
      tolerations: [{ operator: Exists }]
      securityContext: { runAsNonRoot: true, fsGroup: 1000, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: manager
          image: example.com/queue:1
          ports: [{ containerPort: 8443 }]
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] }, readOnlyRootFilesystem: true }
          livenessProbe: { httpGet: { path: /healthz, port: 8081, scheme: HTTPS } }
          lifecycle: { preStop: { exec: { command: [sleep, "5"] } } }
      volumes: [{ name: t, projected: { sources: [{ serviceAccountToken: { path: t } }] } }, { name: n, nfs: { server: nas, path: / } }]
---
apiVersion: v1
kind: Service
metadata: { name: alias, namespace: queue }
spec: { type: ExternalName, externalName: db.shared.svc.cluster.local }
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: queue-disk }
provisioner: ebs.csi.aws.com
parameters: { type: gp3, csi.storage.k8s.io/fstype: ext4, csi.storage.k8s.io/node-publish-secret-namespace: "\${pvc.namespace}" }
---
apiVersion: queue.example.com/v1
kind: Queue
metadata: { name: main, namespace: queue }
spec: { replicas: 3, template: { spec: { containers: [{ name: c, image: example.com/queue:1, securityContext: { runAsUser: 1 } }] } } }
---
apiVersion: apps.example.com/v1
kind: Site
metadata: { name: no-containers, namespace: queue }
spec: { template: { spec: { containers: none } } }
---
apiVersion: apps.example.com/v1
kind: Site
metadata: { name: own-fields, namespace: queue }
spec:
  volumes: { data: 1Gi }
  containers: [{ name: web, image: example.com/web:1, ports: [8080], capabilities: [fast], securityContext: default }]
`;

describe('a restore holds nothing of', () => {
  it('the demo’s application', () => {
    expect(
      held(parsed(readFileSync(new URL('../../../../world/demo/sample.yaml', import.meta.url), 'utf8'))),
    ).toEqual([]);
  });
  it('charts that are confined to their namespace', () => {
    expect(held(parsed(CHARTS))).toEqual([]);
  });
});

it('a restore of a dirty cluster holds what guards or governs it, and of its projects what is not theirs', () => {
  const cluster = dirtyCluster(7);
  const all = [...cluster.definitions, ...cluster.objects, ...cluster.owned, ...cluster.last];
  const found = held(all.map((o) => ('object' in o ? (o.object as KubeObject) : o)));
  const [rbac, admission] = ['rbac.authorization.k8s.io', 'admissionregistration.k8s.io'];
  expect(found.sort()).toEqual([
    'apiservices.apiregistration.k8s.io v1.down.proj.test',
    'apiservices.apiregistration.k8s.io v1beta1.metrics.k8s.io',
    ...['Proj Admins', 'proj-cert', 'proj-pipe', 'proj-watch'].map(
      (name) => `clusterrolebindings.${rbac} ${name}`,
    ),
    ...['proj-cert', 'proj-pipe', 'proj-watch', 'proj:with:colons'].map(
      (name) => `clusterroles.${rbac} ${name}`,
    ),
    ...['proj-argo', 'proj-serve'].map((name) => `mutatingwebhookconfigurations.${admission} ${name}`),
    `validatingadmissionpolicies.${admission} proj-small`,
    `validatingadmissionpolicybindings.${admission} proj-small`,
    ...['proj-cert', 'proj-mesh', 'proj-train', 'proj-watch'].map(
      (name) => `validatingwebhookconfigurations.${admission} ${name}`,
    ),
  ]);
});
