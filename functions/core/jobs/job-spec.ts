import { quantity } from '../../contract/quantity.ts';
import type { JobSettings } from '../../contract/settings.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { ATTEMPT_LABEL, ID_ANNOTATION, runLabels, workName } from '../kubernetes/run-labels.ts';
import { SECRET_DIR } from '../restic/repository.ts';
import { EXIT } from '../restic/restic.ts';

/** Credentials are valid for one hour (the maximum of role chaining) and are renewed after half of it. */
const SESSION_SECONDS = 1800;

/** The step that takes a restic snapshot. */
export const BACKUP_STEP = 'backup';

/** One restic command of a Job. `repository` is a full restic URL. */
export interface ResticStep {
  readonly name: string;
  readonly args: readonly string[];
  readonly repository: string;
  readonly region: string;
  /** Image and path of restic, if it runs in another image. */
  readonly within?: { readonly image: string; readonly restic: string };
}

/** The volume that a Job mounts. */
type JobMount = {
  readonly path: string;
  readonly readOnly: boolean;
} /** `temporary`: created from a snapshot for this Job. Mounted read-write, because its file system may need journal recovery. */ & (
  | { readonly pvc: string; readonly temporary?: boolean }
  | { readonly folder: string }
);

/** A step with a program of another image. */
export interface ToolStep {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  /** Runs as a sidecar of the steps after it, which start when the `ready` command succeeds (Kubernetes 1.29). */
  readonly serves?: { readonly ready: readonly string[] };
}

/** An additional mount of a Job: a folder of the node, a Secret of its namespace, or an empty folder. */
export interface JobFolder {
  readonly name: string;
  readonly path: string;
  readonly from: { readonly node: string } | { readonly secret: string } | 'empty';
}

/** A Job of Holdfast. Its steps run one after the other; the log and exit code of the last one are its result. */
export interface ResticJob {
  /** The run (backup, restore or prune) and the work item within it. */
  readonly run: string;
  readonly id: string;
  readonly namespace: string;
  readonly settings: JobSettings;
  readonly steps: readonly (ResticStep | ToolStep)[];
  /** The claim, or the folder of a node, to mount at a fixed path; absent for Jobs that need only the repository. */
  readonly mount?: JobMount;
  readonly folders?: readonly JobFolder[];
  /** Runs with hostNetwork and tolerates all taints: for the control plane. */
  readonly onControlPlane?: boolean;
  /** Service account whose token is mounted. Default: no token. */
  readonly serviceAccount?: string;
  /** Service account with an AWS identity (Pod Identity, IRSA), used instead of temporary credentials. Its Kubernetes token is not mounted. */
  readonly identity?: string | undefined;
  /** Pins the Job to the node that holds a ReadWriteOnce volume. */
  readonly node?: string;
  /** User id of the containers. Default: root. */
  readonly user?: number | undefined;
  /** Linux capabilities to add; all others are dropped. */
  readonly capabilities: readonly string[];
}

/** Deterministic name of a Job: the same work and attempt have the same name. */
function jobName(run: string, id: string, attempt: number): string {
  return `${workName(run, id)}-${attempt}`;
}

function container(job: ResticJob, step: ResticStep | ToolStep, attempt: number): object {
  const { resources } = job.settings;
  return {
    name: step.name,
    imagePullPolicy: 'IfNotPresent',
    ...('image' in step ? programOf(step) : resticOf(job, step)),
    securityContext: {
      runAsUser: job.user ?? 0,
      ...(job.user !== undefined && { runAsNonRoot: true }),
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], ...(job.capabilities.length > 0 && { add: [...job.capabilities] }) },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    resources: {
      requests: { cpu: resources.cpu, memory: resources.memory },
      limits: { memory: memoryOf(resources.memoryLimit, attempt) },
    },
    volumeMounts: [
      ...('image' in step ? [] : [{ name: 'secret', mountPath: SECRET_DIR, readOnly: true }]),
      { name: 'cache', mountPath: '/cache' },
      { name: 'tmp', mountPath: '/tmp' },
      ...(job.mount ? [{ name: 'volume', mountPath: job.mount.path, readOnly: job.mount.readOnly }] : []),
      ...(job.folders ?? []).map(({ name, path, from }) => ({
        name,
        mountPath: path,
        ...(from !== 'empty' && { readOnly: true }),
      })),
    ],
  };
}

function programOf({ image, command, serves }: ToolStep): object {
  return {
    image,
    command: [...command],
    ...(serves && {
      restartPolicy: 'Always',
      startupProbe: {
        exec: { command: [...serves.ready] },
        periodSeconds: 1,
        timeoutSeconds: 5,
        failureThreshold: 600,
      },
    }),
  };
}

function resticOf(job: ResticJob, step: ResticStep): object {
  return {
    image: step.within?.image ?? job.settings.resticImage,
    command: [step.within?.restic ?? 'restic'],
    args: [...step.args],
    env: [
      { name: 'RESTIC_REPOSITORY', value: step.repository },
      { name: 'RESTIC_PASSWORD_FILE', value: `${SECRET_DIR}/password` },
      { name: 'RESTIC_CACHE_DIR', value: '/cache' },
      { name: 'RESTIC_PROGRESS_FPS', value: '0.2' },
      ...(job.identity
        ? []
        : [
            {
              name: 'AWS_SHARED_CREDENTIALS_FILE',
              value: `${SECRET_DIR}/${step.within ? 'credentials-kubectl' : 'credentials'}`,
            },
          ]),
      { name: 'AWS_DEFAULT_REGION', value: step.region },
      { name: 'TMPDIR', value: '/tmp' },
    ],
  };
}

/** Attempts after the first have twice the memory, because the first may have run out of memory. */
const memoryOf = (limit: string, attempt: number): string =>
  attempt === 1 ? limit : String(Math.ceil(2 * (quantity(limit) as number)));

function mounted(mount: JobMount): object {
  if ('pvc' in mount)
    return {
      name: 'volume',
      persistentVolumeClaim: { claimName: mount.pvc, readOnly: mount.readOnly && !mount.temporary },
    };
  return { name: 'volume', hostPath: { path: mount.folder, type: 'Directory' } };
}

/** Number of the credential set that a Job with this start time must have now. */
export const sessionDue = (startTime: Date | undefined, now: Date): number =>
  startTime ? 1 + Math.floor((now.getTime() - startTime.getTime()) / 1000 / SESSION_SECONDS) : 1;

function folderVolume({ name, from }: JobFolder): object {
  if (from === 'empty') return { name, emptyDir: {} };
  if ('node' in from) return { name, hostPath: { path: from.node, type: 'Directory' } };
  return { name, secret: { secretName: from.secret, defaultMode: 0o400 } };
}

/** Name of the Secret with a Job's n-th credentials. The first Secret also contains the repository's password. */
export const sessionSecretName = (job: string, session: number): string =>
  session === 1 ? job : `${job}-${session}`;

/**
 * The Secrets of all credentials that the Job may get; later ones are optional. All have the same file, and in a projected
 * volume the last of equal files is used. So credentials are renewed by creating a Secret, and no identity needs the
 * permission to change one.
 */
function secrets(job: ResticJob, name: string): object {
  const sessions = job.identity ? 1 : Math.ceil(job.settings.deadlineSeconds / SESSION_SECONDS);
  const later = Array.from({ length: sessions - 1 }, (_, i) => ({
    secret: { name: sessionSecretName(name, i + 2), optional: true },
  }));
  return {
    name: 'secret',
    // A user other than root can read only files with mode 0444.
    projected: {
      defaultMode: job.user === undefined ? 0o400 : 0o444,
      sources: [{ secret: { name: sessionSecretName(name, 1) } }, ...later],
    },
  };
}

function podSpec(job: ResticJob, name: string, attempt: number): object {
  const last = job.steps.length - 1;
  const account = job.serviceAccount ?? job.identity;
  const { imagePullSecrets, tolerations, priorityClassName } = job.settings;
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: job.serviceAccount !== undefined,
    ...(account && { serviceAccountName: account }),
    enableServiceLinks: false,
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: imagePullSecrets.map((s) => ({ name: s })) }),
    ...(job.onControlPlane && { hostNetwork: true }),
    ...(job.onControlPlane
      ? { tolerations: [{ operator: 'Exists' }] }
      : tolerations.length > 0 && { tolerations }),
    ...(priorityClassName && { priorityClassName }),
    ...(job.node && { nodeSelector: { 'kubernetes.io/hostname': job.node } }),
    ...(last > 0 && { initContainers: job.steps.slice(0, last).map((s) => container(job, s, attempt)) }),
    containers: job.steps.slice(last).map((s) => container(job, s, attempt)),
    volumes: [
      secrets(job, name),
      { name: 'cache', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
      ...(job.mount ? [mounted(job.mount)] : []),
      ...(job.folders ?? []).map(folderVolume),
    ],
  };
}

const INCOMPLETE_IS_FINAL = {
  rules: [
    {
      action: 'FailJob',
      onExitCodes: { containerName: BACKUP_STEP, operator: 'In', values: [EXIT.incomplete] },
    },
  ],
};

/**
 * The manifest of a Job. It is created suspended: its Secret needs the Job's uid as owner reference, and no pod may start
 * before the Secret exists.
 */
export function jobManifest(job: ResticJob, attempt: number): KubeObject {
  const name = jobName(job.run, job.id, attempt);
  const labels = { ...runLabels(job.run), [ATTEMPT_LABEL]: String(attempt) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: job.namespace, labels, annotations: { [ID_ANNOTATION]: job.id } },
    spec: {
      suspend: true,
      backoffLimit: 0,
      activeDeadlineSeconds: job.settings.deadlineSeconds,
      ttlSecondsAfterFinished: 24 * 3600,
      // The policy distinguishes an incomplete backup, which is a result, from a failure, which is retried.
      ...(job.steps.some((s) => s.name === BACKUP_STEP) && { podFailurePolicy: INCOMPLETE_IS_FINAL }),
      template: { metadata: { labels }, spec: podSpec(job, name, attempt) },
    },
  };
}

/** A Secret that is owned by the Job and deleted with it. `files`: its content, by file name. */
export function jobSecret(job: KubeObject, session: number, files: Record<string, string>): KubeObject {
  const { name, namespace, uid, labels } = job.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: sessionSecretName(name, session),
      namespace: namespace as string,
      labels: labels ?? {},
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: uid as string, controller: true }],
    },
    type: 'Opaque',
    stringData: files,
  };
}
