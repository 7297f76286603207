import { createHash } from 'node:crypto';
import { EXCLUDE_LABEL, type KubeObject } from './resources.ts';

/** Labels and annotations by which Holdfast finds its own Jobs again. */
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'holdfast' } as const;
export const RUN_LABEL = 'holdfast.io/run';
export const ATTEMPT_LABEL = 'holdfast.io/attempt';
export const ID_ANNOTATION = 'holdfast.io/id';

/** Where the Job's Secret is mounted: the repository password and S3 credentials, as files. */
const SECRET_DIR = '/holdfast';
const DEADLINE_SECONDS = 6 * 3600;

/** One restic command of a Job. `repository` is a full restic URL. */
export interface ResticStep {
  readonly name: string;
  readonly args: readonly string[];
  readonly repository: string;
  readonly region: string;
}

/** A restic Job: its steps run one after the other, the last one's log and exit code are its result. */
export interface ResticJob {
  /** The run (backup, restore or prune) and the work item within it. */
  readonly run: string;
  readonly id: string;
  readonly namespace: string;
  readonly image: string;
  readonly imagePullSecrets: readonly string[];
  readonly steps: readonly ResticStep[];
  /** The claim to mount at its fixed path; absent for Jobs that touch only the repository. */
  readonly mount?: { readonly pvc: string; readonly path: string; readonly readOnly: boolean };
  /** Pins the Job to the node that holds a ReadWriteOnce volume. */
  readonly node?: string;
  /** Linux capabilities beyond none at all. */
  readonly capabilities: readonly string[];
}

/** Path at which a claim is mounted, and so its path in every snapshot. */
export function volumePath(namespace: string, pvc: string): string {
  return `/data/${namespace}/${pvc}`;
}

/** Deterministic name of a Job: the same work and attempt is the same Job, whoever asks and however often. */
export function jobName(run: string, id: string, attempt: number): string {
  const hash = createHash('sha256').update(`${run}\n${id}`).digest('hex').slice(0, 12);
  return `holdfast-${hash}-${attempt}`;
}

function container(job: ResticJob, step: ResticStep): object {
  return {
    name: step.name,
    image: job.image,
    imagePullPolicy: 'IfNotPresent',
    command: ['restic'],
    args: [...step.args],
    env: [
      { name: 'RESTIC_REPOSITORY', value: step.repository },
      { name: 'RESTIC_PASSWORD_FILE', value: `${SECRET_DIR}/password` },
      { name: 'RESTIC_CACHE_DIR', value: '/cache' },
      { name: 'RESTIC_PROGRESS_FPS', value: '0.1' },
      { name: 'AWS_SHARED_CREDENTIALS_FILE', value: `${SECRET_DIR}/credentials` },
      { name: 'AWS_DEFAULT_REGION', value: step.region },
      { name: 'TMPDIR', value: '/tmp' },
    ],
    securityContext: {
      runAsUser: 0,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], ...(job.capabilities.length > 0 && { add: [...job.capabilities] }) },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '1Gi' } },
    volumeMounts: [
      { name: 'secret', mountPath: SECRET_DIR, readOnly: true },
      { name: 'cache', mountPath: '/cache' },
      { name: 'tmp', mountPath: '/tmp' },
      ...(job.mount ? [{ name: 'volume', mountPath: job.mount.path, readOnly: job.mount.readOnly }] : []),
    ],
  };
}

function podSpec(job: ResticJob, name: string): object {
  const last = job.steps.length - 1;
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(job.imagePullSecrets.length > 0 && {
      imagePullSecrets: job.imagePullSecrets.map((s) => ({ name: s })),
    }),
    ...(job.node && { nodeSelector: { 'kubernetes.io/hostname': job.node } }),
    ...(last > 0 && { initContainers: job.steps.slice(0, last).map((s) => container(job, s)) }),
    containers: job.steps.slice(last).map((s) => container(job, s)),
    volumes: [
      { name: 'secret', secret: { secretName: name, defaultMode: 0o400 } },
      { name: 'cache', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
      ...(job.mount
        ? [
            {
              name: 'volume',
              persistentVolumeClaim: { claimName: job.mount.pvc, readOnly: job.mount.readOnly },
            },
          ]
        : []),
    ],
  };
}

/**
 * The Job as the API server takes it. It is created suspended: its Secret needs the Job's uid to be owned by it,
 * and no pod may start before that Secret is there.
 */
export function jobManifest(job: ResticJob, attempt: number): KubeObject {
  const name = jobName(job.run, job.id, attempt);
  const labels = {
    ...MANAGED_BY,
    [RUN_LABEL]: job.run,
    [ATTEMPT_LABEL]: String(attempt),
    [EXCLUDE_LABEL]: 'true',
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: job.namespace, labels, annotations: { [ID_ANNOTATION]: job.id } },
    spec: {
      suspend: true,
      backoffLimit: 0,
      activeDeadlineSeconds: DEADLINE_SECONDS,
      ttlSecondsAfterFinished: 24 * 3600,
      template: { metadata: { labels }, spec: podSpec(job, name) },
    },
  };
}

/** The Job's Secret; dies with the Job. */
export function jobSecret(job: KubeObject, password: string, credentials: string): KubeObject {
  const { name, namespace, uid, labels } = job.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      namespace: namespace as string,
      labels: labels ?? {},
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: uid as string, controller: true }],
    },
    type: 'Opaque',
    stringData: { password, credentials },
  };
}
