import { quantity } from '../../contract/quantity.ts';
import { SECRET_DIR } from '../restic/repository.ts';
import { SESSION_SECONDS, sessionSecretName } from './job-session.ts';
import type { JobFolder, JobMount, ResticJob, ResticStep, ToolStep } from './job-spec.ts';

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

function folderVolume({ name, from }: JobFolder): object {
  if (from === 'empty') return { name, emptyDir: {} };
  if ('node' in from) return { name, hostPath: { path: from.node, type: 'Directory' } };
  return { name, secret: { secretName: from.secret, defaultMode: 0o400 } };
}

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

/** The spec of a Job's pod. `name`: of the Job, whose Secrets have it too. A later attempt has more memory. */
export function podSpec(job: ResticJob, name: string, attempt: number): object {
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
