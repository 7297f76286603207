import { endedFromOutside, hasStarted, type JobEvent, podBlocker } from '../../core/jobs/job-health.ts';
import { jobManifest, jobSecret } from '../../core/jobs/job-manifest.ts';
import type { ResticJob } from '../../core/jobs/job-spec.ts';
import type { ActualJob } from '../../core/jobs/reconcile.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import {
  collectionPath,
  type KubeObject,
  objectPath,
  type ResourceType,
} from '../../core/kubernetes/resources.ts';
import {
  ATTEMPT_LABEL,
  ID_ANNOTATION,
  RUN_LABEL,
  SESSION_ANNOTATION,
} from '../../core/kubernetes/run-labels.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { parseProgress, type ResticProgress } from '../../core/restic/restic.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';

/** One of our Jobs in the cluster. */
export interface ClusterJob extends ActualJob {
  readonly name: string;
  readonly namespace: string;
  /** Undefined while it is suspended. */
  readonly startTime: Date | undefined;
  readonly seconds: number;
  /** Why it failed according to Kubernetes, or why it is blocked. */
  readonly message: string | undefined;
  /** Number of credential sets it has had. */
  readonly session: number;
  readonly pod: KubeObject | undefined;
}

interface JobStatus {
  startTime?: string;
  conditions?: {
    type: string;
    status: string;
    reason?: string;
    message?: string;
    lastTransitionTime?: string;
  }[];
}

/** Lines of a log: enough for restic's summary and the files it could not read. */
const LOG_LINES = '2000';
const JOB_NAME = 'batch.kubernetes.io/job-name';
/** After this time the events of a pod that has not started are read. */
const ASK_AFTER_SECONDS = 10;

const parse = (body: Buffer): unknown => JSON.parse(body.toString('utf8'));

function toClusterJob(job: KubeObject, pod: KubeObject | undefined): ClusterJob {
  const status = (job.status ?? {}) as JobStatus;
  const ended = status.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  const startTime = status.startTime ? new Date(status.startTime) : undefined;
  const seconds =
    ended && startTime ? (Date.parse(ended.lastTransitionTime ?? '') - startTime.getTime()) / 1000 : 0;
  const open = job.spec?.suspend ? 'suspended' : 'running';
  return {
    id: job.metadata.annotations?.[ID_ANNOTATION] ?? '',
    attempt: Number(job.metadata.labels?.[ATTEMPT_LABEL] ?? 1),
    state: ended ? (ended.type === 'Complete' ? 'complete' : 'failed') : open,
    final: ended?.reason === 'PodFailurePolicy',
    name: job.metadata.name,
    namespace: job.metadata.namespace as string,
    startTime,
    seconds,
    message: (pod && endedFromOutside(pod)) ?? ended?.message,
    session: Number(job.metadata.annotations?.[SESSION_ANNOTATION] ?? 1),
    pod,
  };
}

/** The objects of a type with the given labels, in all namespaces. `none`: statuses that are treated as an empty list. */
export async function listLabelled(
  client: KubeClient,
  type: ResourceType,
  labelSelector: string,
  none: readonly number[] = [],
): Promise<KubeObject[]> {
  const query = { labelSelector };
  const { status, body } = await client.call('GET', collectionPath(type), { query, accept: none });
  if (none.includes(status)) return [];
  return (parse(body) as { items: KubeObject[] }).items.filter((o) => !o.metadata.deletionTimestamp);
}

/**
 * Every Job of a run and its pods, in all namespaces, with one LIST each. Events are read only for pods that have
 * not started. A pod that has not started after `startSeconds` counts as failed.
 */
export async function listJobs(
  client: KubeClient,
  run: string,
  { now, startSeconds }: { readonly now: Date; readonly startSeconds: number },
): Promise<ClusterJob[]> {
  const selector = `${RUN_LABEL}=${run}`;
  const [jobs, pods] = await Promise.all([
    listLabelled(client, TYPES.jobs, selector),
    listLabelled(client, TYPES.pods, selector),
  ]);
  const podOf = new Map(pods.map((p) => [`${p.metadata.namespace}/${p.metadata.labels?.[JOB_NAME]}`, p]));
  return Promise.all(
    jobs.map(async (object) => {
      const job = toClusterJob(object, podOf.get(`${object.metadata.namespace}/${object.metadata.name}`));
      const waited = job.startTime ? (now.getTime() - job.startTime.getTime()) / 1000 : 0;
      const waits = job.state === 'running' && !(job.pod && hasStarted(job.pod));
      if (!waits || waited < ASK_AFTER_SECONDS) return job;
      const message = podBlocker(job.pod, await eventsOf(client, job.pod ?? object));
      if (waited < startSeconds) return { ...job, message };
      const blocker = message ?? 'its pod has not started, and Kubernetes reports no reason';
      return {
        ...job,
        state: 'failed',
        final: true,
        message: `${blocker} (for ${Math.floor(waited / 60)} min)`,
      };
    }),
  );
}

/** The events of one object, oldest first. */
async function eventsOf(client: KubeClient, { metadata }: KubeObject): Promise<JobEvent[]> {
  const { body } = await client.call('GET', collectionPath(TYPES.events, metadata.namespace), {
    query: { fieldSelector: `involvedObject.uid=${metadata.uid}` },
  });
  type Event = JobEvent & { lastTimestamp?: string | null; eventTime?: string | null };
  const at = (e: Event) => Date.parse(e.lastTimestamp ?? e.eventTime ?? '') || 0;
  return (parse(body) as { items: Event[] }).items.sort((a, b) => at(a) - at(b));
}

/** Creates the suspended Job and the Secret it owns, and resumes it. Idempotent. */
export async function startJob(
  client: KubeClient,
  job: ResticJob,
  attempt: number,
  files: Record<string, string>,
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
  const secret = jobSecret(live, 1, files);
  await client.call('POST', collectionPath(TYPES.secrets, job.namespace), { body: secret, accept: [409] });
  await client.call('PATCH', path, {
    body: { spec: { suspend: false } },
    contentType: 'application/merge-patch+json',
  });
}

/** Gives a running Job its next credentials, as a Secret that its pod mounts optionally. Idempotent. */
export async function renewSession(
  client: KubeClient,
  { name, namespace }: Pick<ClusterJob, 'name' | 'namespace'>,
  session: number,
  files: Record<string, string>,
): Promise<void> {
  const path = objectPath(TYPES.jobs, name, namespace);
  const found = await client.call('GET', path, { accept: [404] });
  if (found.status === 404) return; // it has ended and was removed
  const secret = jobSecret(parse(found.body) as KubeObject, session, files);
  await client.call('POST', collectionPath(TYPES.secrets, namespace), { body: secret, accept: [409] });
  await client.call('PATCH', path, {
    body: { metadata: { annotations: { [SESSION_ANNOTATION]: String(session) } } },
    contentType: 'application/merge-patch+json',
    accept: [404],
  });
}

interface PodStatus {
  containerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
  initContainerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
}

async function logOf(
  client: KubeClient,
  pod: KubeObject,
  container: string,
  tailLines: string,
): Promise<string> {
  const path = `${objectPath(TYPES.pods, pod.metadata.name, pod.metadata.namespace)}/log`;
  const log = await client.call('GET', path, { query: { container, tailLines }, accept: [400, 404] });
  return log.status < 400 ? log.body.toString('utf8') : '';
}

function servers(pod: KubeObject): Set<string> {
  const { initContainers = [] } = pod.spec as { initContainers?: { name: string; restartPolicy?: string }[] };
  return new Set(initContainers.filter((c) => c.restartPolicy === 'Always').map((c) => c.name));
}

/** Exit code and log of the container that decided how a Job ended. */
export async function jobEnd(client: KubeClient, job: ClusterJob): Promise<JobEnd> {
  const none = { exitCode: undefined, log: '', reports: {}, message: job.message, seconds: job.seconds };
  if (!job.pod) return none;
  const status = (job.pod.status ?? {}) as PodStatus;
  // A sidecar is terminated after the other containers, so its exit code has no meaning.
  const serving = servers(job.pod);
  const inits = (status.initContainerStatuses ?? []).filter((c) => !serving.has(c.name));
  const all = [...inits, ...(status.containerStatuses ?? [])];
  const decisive = all.find((c) => (c.state.terminated?.exitCode ?? 0) !== 0) ?? all.at(-1);
  if (decisive?.state.terminated === undefined) return none;
  const { pod } = job;
  const reports = await Promise.all(
    inits.map(async (c) => [c.name, await logOf(client, pod, c.name, '20')] as const),
  );
  return {
    ...none,
    step: decisive.name,
    reports: Object.fromEntries(reports),
    exitCode: decisive.state.terminated.exitCode,
    log: await logOf(client, job.pod, decisive.name, LOG_LINES),
  };
}

/** Progress of a running Job's restic; undefined before its first status line. */
export async function jobProgress(client: KubeClient, job: ClusterJob): Promise<ResticProgress | undefined> {
  if (!job.pod || job.state !== 'running') return undefined;
  const { containers } = job.pod.spec as { containers: { name: string }[] };
  return parseProgress(await logOf(client, job.pod, (containers[0] as { name: string }).name, '3'));
}

/** Deletes a Job with its pods and Secrets. */
export async function removeJob(
  client: KubeClient,
  job: Pick<ClusterJob, 'name' | 'namespace'>,
): Promise<void> {
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' };
  await client.call('DELETE', objectPath(TYPES.jobs, job.name, job.namespace), { body, accept: [404] });
}

/** Deletes every Job of a run. */
export async function removeJobs(client: KubeClient, run: string): Promise<void> {
  for (const { metadata } of await listLabelled(client, TYPES.jobs, `${RUN_LABEL}=${run}`))
    await removeJob(client, { name: metadata.name, namespace: metadata.namespace as string });
}
