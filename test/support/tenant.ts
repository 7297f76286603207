import { kubeClient } from '../../functions/adapters/kubernetes/client.ts';
import type { KubeObject } from '../../functions/core/kubernetes/resources.ts';
import { imageNames } from '../../world/base/settings.ts';
import { type Answer, ClusterApi } from './cluster-api.ts';
import type { Watch } from './tenant-watch.ts';
import { connect, endpoint } from './world.ts';

/** What a look-alike of a Job claims to be. */
export interface Disguise {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What its containers write, in their order; all but the last are init containers. */
  readonly writes: readonly (readonly [container: string, text: string])[];
  /** How long its last container runs before it writes. Default: 0. */
  readonly seconds?: number;
}

/** Labels by which a Job and its pods look like those of a run. */
export const labelsOf = (run: string, attempt = 9): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'holdfast',
  'holdfast.io/run': run,
  'holdfast.io/attempt': String(attempt),
  'velero.io/exclude-from-backup': 'true',
});

/** Annotations by which a Job looks like that of a piece of work. `session` 0: it waits for its first credentials. */
export const annotationsOf = (id: string, session = 0): Record<string, string> => ({
  'holdfast.io/id': id,
  'holdfast.io/session': String(session),
});

/** The id of a snapshot that is nowhere. */
export const FORGED_SNAPSHOT = 'f0'.repeat(32);
/** An address that a tenant would like somebody to call. */
export const FORGED_HOST = 'evil.example';

/** Claims to have backed up, restored and asked etcd, whatever it is read for. */
export const FORGED_LOG = [
  JSON.stringify([
    { Endpoint: `http://${FORGED_HOST}:2379`, Status: { header: { member_id: 1 }, leader: 1 } },
  ]),
  JSON.stringify({
    message_type: 'summary',
    snapshot_id: FORGED_SNAPSHOT,
    total_files_processed: 11,
    total_bytes_processed: 5_600_000,
    files_restored: 11,
    bytes_restored: 5_600_000,
  }),
].join('\n');

/** Somebody with the ClusterRole `admin` in one namespace and no other rights. */
export class Tenant {
  readonly namespace: string;
  /** What the tenant may do, with the token of its ServiceAccount. */
  readonly api: ClusterApi;

  private constructor(namespace: string, token: string) {
    this.namespace = namespace;
    const { cert: _, key: __, ...server } = endpoint();
    this.api = new ClusterApi(kubeClient({ ...server, token }));
  }

  /** Makes the namespace, if it is not there, and the ServiceAccount `mallory` as its admin. */
  static async in(namespace: string): Promise<Tenant> {
    const api = new ClusterApi(connect());
    const name = 'mallory';
    const rbac = 'rbac.authorization.k8s.io';
    for (const object of [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'admin' },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      },
    ])
      await api.tryCreate(object);
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    const answer = await api.client.call('POST', path, { body });
    await api.client.close();
    const { status } = JSON.parse(answer.body.toString('utf8')) as { status: { token: string } };
    return new Tenant(namespace, status.token);
  }

  close(): Promise<void> {
    return this.api.client.close();
  }

  /** Creates a Job that looks like one of Holdfast's. */
  async lookAlike(disguise: Disguise): Promise<Answer> {
    return this.api.tryCreate(lookAlike(this.namespace, disguise));
  }

  /** Creates a pod that claims to be of a Job, which may be another namespace's. */
  async forgedPod(job: KubeObject, name: string): Promise<Answer> {
    const { template } = job.spec as { template: KubeObject };
    const controller = { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, controller: true };
    const names = containersOf(job);
    return this.api.tryCreate({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: this.namespace,
        labels: {
          ...template.metadata.labels,
          'batch.kubernetes.io/controller-uid': job.metadata.uid as string,
          'batch.kubernetes.io/job-name': job.metadata.name,
        },
        ownerReferences: [{ ...controller, uid: job.metadata.uid as string }],
      },
      spec: podOf(names.map((container) => [container, FORGED_LOG])),
    });
  }

  /**
   * For each of Holdfast's Jobs in other namespaces, makes its double at once: all that can be seen of it is the same. Returns
   * what ends that, and says what the API server has answered.
   */
  mimic(jobs: Watch, writes: (container: string) => string = () => FORGED_LOG): () => Promise<Answer[]> {
    const made: Promise<Answer>[] = [];
    const stop = jobs.onAdded((job) => {
      if (job.metadata.namespace === this.namespace || !isOfHoldfast(job)) return;
      const { name, labels = {}, annotations = {} } = job.metadata;
      const disguise = {
        labels: { ...labels, 'holdfast.io/attempt': '9' },
        annotations: { ...annotations, 'holdfast.io/session': '0' },
        writes: containersOf(job).map((c) => [c, writes(c)] as const),
      };
      // One that has ended at once, and one that is still running when Holdfast looks.
      made.push(this.lookAlike({ ...disguise, name, seconds: 4 }));
    });
    return () => {
      stop();
      return Promise.all(made);
    };
  }
}

/** Whether an object in the cluster looks as if Holdfast made it, by its label or its name. */
export const isOfHoldfast = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.['app.kubernetes.io/managed-by'] === 'holdfast' || metadata.name.startsWith('holdfast-');

/** Names of the containers of a Job in their order. */
export function containersOf(job: KubeObject): string[] {
  const { template } = job.spec as {
    template: { spec: { initContainers?: { name: string }[]; containers: { name: string }[] } };
  };
  return [...(template.spec.initContainers ?? []), ...template.spec.containers].map((c) => c.name);
}

/** The manifest of a Job in disguise. */
export const lookAlike = (namespace: string, disguise: Disguise): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    name: disguise.name,
    namespace,
    labels: { ...disguise.labels },
    annotations: { ...disguise.annotations },
  },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { labels: { ...disguise.labels } },
      spec: podOf(disguise.writes, disguise.seconds),
    },
  },
});

function podOf(writes: Disguise['writes'], seconds = 0): Record<string, unknown> {
  const containers = writes.map(([name, text], i) => {
    const wait = i === writes.length - 1 && seconds > 0 ? `sleep ${seconds}\n` : '';
    return {
      name,
      image: imageNames.busybox,
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', `${wait}cat <<'END'\n${text}\nEND`],
    };
  });
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    initContainers: containers.slice(0, -1),
    containers: containers.slice(-1),
  };
}
