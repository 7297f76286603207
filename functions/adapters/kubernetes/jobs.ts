import { fieldsOf } from '../../core/bytes/json-value.ts';
import { endedFromOutside, hasStarted, type JobEvent, podBlocker } from '../../core/jobs/job-health.ts';
import { jobSecret } from '../../core/jobs/job-manifest.ts';
import { lostObject, takenName } from '../../core/jobs/made-object.ts';
import type { ActualJob } from '../../core/jobs/reconcile.ts';
import type { JobEnd } from '../../core/kubernetes/job-end.ts';
import { collectionPath, type KubeObject, objectPath } from '../../core/kubernetes/resources.ts';
import { TYPES } from '../../core/kubernetes/well-known.ts';
import { parseProgress, type ResticProgress } from '../../core/restic/log.ts';
import type { KubeClient } from '../../ports/kubernetes.ts';
import { ResponseTooLarge } from './client.ts';
import { createObject, findOwn, type OwnObject, patchOwn } from './own-objects.ts';

/** One of our Jobs in the cluster. */
export interface ClusterJob extends ActualJob, MadeJob {
  /** Undefined while it is suspended. */
  readonly startTime: Date | undefined;
  readonly seconds: number;
  /** Why it failed according to Kubernetes, or why it is blocked. */
  readonly message: string | undefined;
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
/** Lines of the log of a step that reports one thing. */
const FEW_LINES = '20';
const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';
/** Pods of one Job that are asked for: it has one, or a second one while the first is replaced. */
const MOST_PODS = '20';
/** Events of one pod that are asked for. */
const MOST_EVENTS = '200';
/** A longer log is not restic's. */
const MOST_LOG_BYTES = 8 * 1024 * 1024;
/** After this time the events of a pod that has not started are read. */
const ASK_AFTER_SECONDS = 10;

const parse = (body: Buffer): unknown => JSON.parse(body.toString('utf8'));

function toClusterJob(job: KubeObject, made: MadeJob, pod: KubeObject | undefined): ClusterJob {
  const status = (job.status ?? {}) as JobStatus;
  const ended = status.conditions?.find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  );
  const startTime = status.startTime ? new Date(status.startTime) : undefined;
  const seconds =
    ended && startTime ? (Date.parse(ended.lastTransitionTime ?? '') - startTime.getTime()) / 1000 : 0;
  const open = job.spec?.suspend ? 'suspended' : 'running';
  return {
    ...made,
    state: ended ? (ended.type === 'Complete' ? 'complete' : 'failed') : open,
    final: ended?.reason === 'PodFailurePolicy',
    startTime,
    seconds,
    message: (pod && endedFromOutside(pod)) ?? ended?.message,
    pod,
  };
}

/** A Job that a run has made, as the vault knows it. */
export interface MadeJob extends OwnObject {
  readonly id: string;
  readonly attempt: number;
  /** Number of credential sets it has had. */
  readonly session: number;
}

/**
 * The present state of one Job that a run has made, with its pod. A Job that is gone, or has another uid, has failed. Events
 * are read only for a pod that has not started. A pod that has not started after `startSeconds` counts as failed.
 */
export async function lookAtJob(
  client: KubeClient,
  made: MadeJob,
  { now, startSeconds }: { readonly now: Date; readonly startSeconds: number },
): Promise<ClusterJob> {
  const object = await findOwn(client, TYPES.jobs, made);
  if (!object) return lostJob(made);
  const job = toClusterJob(object, made, object.spec?.suspend ? undefined : await podOf(client, made));
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
}

const lostJob = (made: MadeJob): ClusterJob => ({
  ...made,
  state: 'failed',
  final: false,
  startTime: undefined,
  seconds: 0,
  message: lostObject('Job', made),
  pod: undefined,
});

/** The pod of a Job, by the uid of its controller. A namespace may hold any number of pods: few are asked for. */
async function podOf(client: KubeClient, { namespace, uid }: OwnObject): Promise<KubeObject | undefined> {
  const query = { labelSelector: `${CONTROLLER_UID}=${uid}`, limit: MOST_PODS };
  const { body } = await client.call('GET', collectionPath(TYPES.pods, namespace), { query });
  const { items } = parse(body) as { items: KubeObject[] };
  return items.find(
    ({ metadata }) =>
      !metadata.deletionTimestamp && metadata.ownerReferences?.some((o) => o.controller && o.uid === uid),
  );
}

/** The events of one object, oldest first. */
async function eventsOf(client: KubeClient, { metadata }: KubeObject): Promise<JobEvent[]> {
  const { body } = await client.call('GET', collectionPath(TYPES.events, metadata.namespace), {
    query: { fieldSelector: `involvedObject.uid=${metadata.uid}`, limit: MOST_EVENTS },
  });
  type Event = JobEvent & { lastTimestamp?: string | null; eventTime?: string | null };
  const at = (e: Event) => Date.parse(e.lastTimestamp ?? e.eventTime ?? '') || 0;
  return (parse(body) as { items: Event[] }).items.sort((a, b) => at(a) - at(b));
}

/**
 * Gives a Job a set of credentials, as a Secret that it owns and that its pod mounts. Idempotent. Returns the API server's
 * words if it rejects the Secret.
 */
export async function giveSecret(
  client: KubeClient,
  job: OwnObject,
  session: number,
  files: Record<string, string>,
): Promise<string | undefined> {
  const secret = jobSecret(job, session, files);
  const answer = await createObject(client, TYPES.secrets, secret);
  if (answer === 'taken') {
    const { name } = secret.metadata;
    return (await isOurSecret(client, { ...job, name }, job.uid, files))
      ? undefined
      : takenName('Secret', { ...job, name });
  }
  return 'refused' in answer ? `the cluster rejects the Secret of its Job: ${answer.refused}` : undefined;
}

/** Whether a Secret that is already there has the Job as its owner and the password that nobody else has. */
async function isOurSecret(
  client: KubeClient,
  { namespace, name }: Pick<OwnObject, 'namespace' | 'name'>,
  owner: string,
  { password }: Record<string, string>,
): Promise<boolean> {
  const { status, body } = await client.call('GET', objectPath(TYPES.secrets, name, namespace), {
    accept: [404],
  });
  if (status === 404) return true; // removed since: the next pass creates it
  const { metadata, data } = parse(body) as KubeObject;
  const isSame =
    password === undefined || fieldsOf(data).password === Buffer.from(password).toString('base64');
  return isSame && metadata.ownerReferences?.some((o) => o.uid === owner) === true;
}

/** Resumes a Job that was created suspended. Idempotent. One that has been replaced is left alone. */
export async function resumeJob(client: KubeClient, job: OwnObject): Promise<void> {
  await patchOwn(client, TYPES.jobs, job, { spec: { suspend: false } });
}

interface PodStatus {
  containerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
  initContainerStatuses?: { name: string; state: { terminated?: { exitCode: number } } }[];
}

/** The last lines of a container's log. Of a log with lines that restic does not write, the last few, or nothing. */
async function logOf(
  client: KubeClient,
  pod: KubeObject,
  container: string,
  tailLines: string,
): Promise<string> {
  const path = `${objectPath(TYPES.pods, pod.metadata.name, pod.metadata.namespace)}/log`;
  const options = { query: { container, tailLines }, accept: [400, 404], maxBytes: MOST_LOG_BYTES };
  try {
    const log = await client.call('GET', path, options);
    return log.status < 400 ? log.body.toString('utf8') : '';
  } catch (error) {
    if (!(error instanceof ResponseTooLarge)) throw error;
    return tailLines === FEW_LINES ? '' : logOf(client, pod, container, FEW_LINES);
  }
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
    inits.map(async (c) => [c.name, await logOf(client, pod, c.name, FEW_LINES)] as const),
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
