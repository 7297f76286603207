import { type KubeObject, objectPath } from '../../functions/core/kubernetes/resources.ts';
import { ATTEMPT_LABEL, ID_ANNOTATION } from '../../functions/core/kubernetes/run-labels.ts';
import { TYPES } from '../../functions/core/kubernetes/well-known.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { resticId } from './restic-id.ts';

/** Between two looks; longer than any credentials and any start may last. */
const STEP_MS = 31 * 60_000;
/** How long a Job of restic runs: two steps, so that it needs new credentials once. */
const RUN_MS = 2 * STEP_MS;

/** What the controllers of a test do with the Jobs and snapshots of a backup. */
export interface Fates {
  /** The pod of an attempt starts. */
  onStart(id: string, attempt: number): void;
  /** Exit code of an attempt. */
  exitCode(id: string, attempt: number): number;
  /** Whether the storage ever takes the snapshot of a claim. */
  takesSnapshot(claim: string): boolean;
  /** A step of this name made a repository. */
  onInit(repository: string): void;
  /** A Job has stored a snapshot; absent: it only says so. */
  onSnapshot?(id: string, snapshot: string): void;
}

interface Container {
  name: string;
  env?: { name: string; value: string }[];
}
interface PodSpec {
  containers: Container[];
  initContainers?: Container[];
  volumes: {
    secret?: { secretName: string };
    projected?: { sources: { secret: { name: string; optional?: boolean } }[] };
    persistentVolumeClaim?: { claimName: string };
  }[];
}
interface JobStatus {
  startTime?: string;
  conditions?: { type: string; status: string; lastTransitionTime: string }[];
}

/** Time passes: Jobs that may run start or end, and the storage goes on with its snapshots. */
export function passTime(cluster: MemoryCluster, fates: Fates): void {
  cluster.now = new Date(cluster.now.getTime() + STEP_MS);
  for (const job of cluster.all(TYPES.jobs)) advance(cluster, job, fates);
  for (const snapshot of cluster.all(TYPES.volumeSnapshots)) {
    const { source } = snapshot.spec as { source: { persistentVolumeClaimName: string } };
    if (!fates.takesSnapshot(source.persistentVolumeClaimName)) continue;
    const creationTime = (snapshot.status as { creationTime?: string } | undefined)?.creationTime;
    snapshot.status = creationTime
      ? { creationTime, readyToUse: true, restoreSize: '20Gi' }
      : { creationTime: cluster.now.toISOString(), readyToUse: false };
  }
}

function advance(cluster: MemoryCluster, job: KubeObject, fates: Fates): void {
  const status = (job.status ?? {}) as JobStatus;
  if (job.spec?.suspend || status.conditions) return;
  const { template } = job.spec as { template: { metadata: { labels: object }; spec: PodSpec } };
  const { name, namespace, uid, annotations = {}, labels = {} } = job.metadata;
  const pod = `${name}-pod`;
  const id = annotations[ID_ANNOTATION] ?? '';
  const attempt = Number(labels[ATTEMPT_LABEL]);
  if (!status.startTime) {
    fates.onStart(id, attempt);
    requireAll(cluster, namespace as string, template.spec);
    job.status = { startTime: cluster.now.toISOString() };
    cluster.put(TYPES.pods, {
      metadata: {
        name: pod,
        namespace: namespace as string,
        labels: { ...template.metadata.labels, 'batch.kubernetes.io/controller-uid': uid as string },
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name, uid: uid as string, controller: true },
        ],
      },
      spec: { ...template.spec },
      status: { phase: 'Running', containerStatuses: [{ name: 'backup', state: { running: {} } }] },
    });
    return;
  }
  if (cluster.now.getTime() - Date.parse(status.startTime) < RUN_MS) return;
  const exitCode = fates.exitCode(id, attempt);
  const path = objectPath(TYPES.pods, pod, namespace);
  const snapshot = resticId(`snapshot of ${id}`);
  if (exitCode === 0) fates.onSnapshot?.(id, snapshot);
  const summary = {
    message_type: 'summary',
    snapshot_id: snapshot,
    total_files_processed: 1,
    total_bytes_processed: 2,
  };
  cluster.logs.set(`${path} backup`, exitCode === 0 ? JSON.stringify(summary) : 'Fatal: it is broken');
  (cluster.objects.get(path) as KubeObject).status = {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [{ name: 'backup', state: { terminated: { exitCode } } }],
  };
  const init = template.spec.initContainers?.find((c) => c.name === 'init');
  const repository = init?.env?.find((e) => e.name === 'RESTIC_REPOSITORY')?.value;
  if (repository) fates.onInit(repository);
  const type = exitCode === 0 ? 'Complete' : 'Failed';
  job.status = {
    ...status,
    conditions: [{ type, status: 'True', lastTransitionTime: cluster.now.toISOString() }],
  };
}

/** What the kubelet would wait for: a pod without it would never start. */
function requireAll(cluster: MemoryCluster, namespace: string, { volumes }: PodSpec): void {
  for (const { projected, persistentVolumeClaim } of volumes) {
    for (const { secret } of projected?.sources ?? [])
      if (!secret.optional && !cluster.objects.has(objectPath(TYPES.secrets, secret.name, namespace)))
        throw new Error(`the Secret ${namespace}/${secret.name} is missing`);
    const claim = persistentVolumeClaim?.claimName;
    if (claim && !cluster.objects.has(objectPath(TYPES.persistentVolumeClaims, claim, namespace)))
      throw new Error(`the claim ${namespace}/${claim} is missing`);
  }
}
