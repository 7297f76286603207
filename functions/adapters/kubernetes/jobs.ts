import type { JobEnd } from '../../core/job-loop.ts';
import {
  ATTEMPT_LABEL,
  ID_ANNOTATION,
  jobManifest,
  jobSecret,
  type ResticJob,
  RUN_LABEL,
} from '../../core/job-spec.ts';
import type { ActualJob } from '../../core/reconcile.ts';
import { collectionPath, type KubeObject, objectPath } from '../../core/resources.ts';
import { TYPES } from '../../core/well-known.ts';
import type { KubeClient } from './client.ts';

/** One of our Jobs in the cluster. */
export interface ClusterJob extends ActualJob {
  readonly name: string;
  readonly namespace: string;
  readonly seconds: number;
  readonly message: string | undefined;
}

interface JobStatus {
  startTime?: string;
  conditions?: { type: string; status: string; message?: string; lastTransitionTime?: string }[];
}

const parse = (body: Buffer): unknown => JSON.parse(body.toString('utf8'));

function toClusterJob(job: KubeObject): ClusterJob {
  const status = (job.status ?? {}) as JobStatus;
  const ended = status.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  const seconds =
    ended && status.startTime
      ? (Date.parse(ended.lastTransitionTime ?? '') - Date.parse(status.startTime)) / 1000
      : 0;
  const open = job.spec?.suspend ? 'suspended' : 'running';
  return {
    id: job.metadata.annotations?.[ID_ANNOTATION] ?? '',
    attempt: Number(job.metadata.labels?.[ATTEMPT_LABEL] ?? 1),
    state: ended ? (ended.type === 'Complete' ? 'complete' : 'failed') : open,
    name: job.metadata.name,
    namespace: job.metadata.namespace as string,
    seconds,
    message: ended?.message,
  };
}

/** Every Job of a run, in all namespaces, with one LIST. */
export async function listJobs(client: KubeClient, run: string): Promise<ClusterJob[]> {
  const { body } = await client.call('GET', collectionPath(TYPES.jobs), {
    query: { labelSelector: `${RUN_LABEL}=${run}` },
  });
  return (parse(body) as { items: KubeObject[] }).items
    .filter((j) => !j.metadata.deletionTimestamp)
    .map(toClusterJob);
}

/** Creates the suspended Job, its Secret owned by it, and lets it run. Each step may be repeated. */
export async function startJob(
  client: KubeClient,
  job: ResticJob,
  attempt: number,
  password: string,
  credentials: string,
): Promise<void> {
  const manifest = jobManifest(job, attempt);
  const path = objectPath(TYPES.jobs, manifest.metadata.name, job.namespace);
  const created = await client.call('POST', collectionPath(TYPES.jobs, job.namespace), {
    body: manifest,
    accept: [409],
  });
  const live = parse(
    created.status === 409 ? (await client.call('GET', path)).body : created.body,
  ) as KubeObject;
  const secret = jobSecret(live, password, credentials);
  await client.call('POST', collectionPath(TYPES.secrets, job.namespace), { body: secret, accept: [409] });
  await client.call('PATCH', path, {
    body: { spec: { suspend: false } },
    contentType: 'application/merge-patch+json',
  });
}

interface PodStatus {
  containerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
  initContainerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
}

/** Exit code and log of the container that decided how a Job ended. */
export async function jobEnd(client: KubeClient, job: ClusterJob): Promise<JobEnd> {
  const query = { labelSelector: `batch.kubernetes.io/job-name=${job.name}` };
  const { body } = await client.call('GET', collectionPath(TYPES.pods, job.namespace), { query });
  const pod = (parse(body) as { items: KubeObject[] }).items[0];
  const none = { exitCode: undefined, log: '', message: job.message, seconds: job.seconds };
  if (!pod) return none;
  const status = (pod.status ?? {}) as PodStatus;
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const decisive = all.find((c) => (c.state.terminated?.exitCode ?? 0) !== 0) ?? all.at(-1);
  if (decisive?.state.terminated === undefined) return none;
  const logPath = `${objectPath(TYPES.pods, pod.metadata.name, job.namespace)}/log`;
  const log = await client.call('GET', logPath, { query: { container: decisive.name }, accept: [400, 404] });
  return {
    ...none,
    exitCode: decisive.state.terminated.exitCode,
    log: log.status < 400 ? log.body.toString('utf8') : '',
  };
}

/** Deletes a Job; its pods and its Secret go with it. */
export async function removeJob(
  client: KubeClient,
  job: Pick<ClusterJob, 'name' | 'namespace'>,
): Promise<void> {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' };
  await client.call('DELETE', objectPath(TYPES.jobs, job.name, job.namespace), { body, accept: [404] });
}
