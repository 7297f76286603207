import type { KubeObject } from '../kubernetes/resources.ts';

/** The fields of a Kubernetes event that are used here. */
export interface JobEvent {
  readonly reason: string;
  readonly message: string;
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
}
interface ContainerStatus {
  image: string;
  state?: { waiting?: { reason?: string; message?: string }; running?: object; terminated?: object };
}
interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  conditions?: Condition[];
  initContainerStatuses?: ContainerStatus[];
  containerStatuses?: ContainerStatus[];
}

const statusOf = (pod: KubeObject): PodStatus => (pod.status ?? {}) as PodStatus;
const containersOf = ({ initContainerStatuses = [], containerStatuses = [] }: PodStatus) => [
  ...initContainerStatuses,
  ...containerStatuses,
];

/** Whether a container of the pod has started. From then on restic reports the progress. */
export const hasStarted = (pod: KubeObject): boolean =>
  containersOf(statusOf(pod)).some((c) => c.state?.running || c.state?.terminated);

const PULL = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
];

/**
 * Why a Job's pod cannot start, as a readable message; undefined if no reason is known. `events`: of the pod, or of the
 * Job if it does not have a pod.
 */
export function podBlocker(pod: KubeObject | undefined, events: readonly JobEvent[]): string | undefined {
  if (!pod) return admissionBlocker(events);
  const status = statusOf(pod);
  const scheduled = status.conditions?.find((c) => c.type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return `its pod cannot be scheduled: ${scheduled.message ?? scheduled.reason}`;
  for (const { image, state } of containersOf(status)) {
    const { reason = '', message } = state?.waiting ?? {};
    if (PULL.includes(reason)) return `the image ${image} cannot be pulled: ${message ?? reason}`;
    if (/Error$/.test(reason)) return `its container cannot be created: ${message ?? reason}`;
  }
  const told = (reason: string) => events.findLast((e) => e.reason === reason)?.message;
  const attach = told('FailedAttachVolume');
  if (attach) return `its volume cannot be attached to the node: ${attach}`;
  const mount = told('FailedMount');
  return mount && `its volume cannot be mounted: ${mount}`;
}

/** Why the API server rejects the pod of a Job. */
function admissionBlocker(events: readonly JobEvent[]): string | undefined {
  const message = events.findLast((e) => e.reason === 'FailedCreate')?.message;
  if (!message) return undefined;
  if (/exceeded quota|must specify .* for/.test(message))
    return `a quota of the namespace rejects its pod: ${message}`;
  if (/violates PodSecurity/.test(message))
    return `the namespace's Pod Security level rejects its pod: ${message}`;
  if (/admission webhook|denied|forbidden/i.test(message))
    return `admission control rejects its pod: ${message}`;
  return `its pod cannot be created: ${message}`;
}

/** Why a pod was evicted or disrupted, as a readable message; undefined if it was not. */
export function endedFromOutside(pod: KubeObject): string | undefined {
  const { reason, message, conditions } = statusOf(pod);
  if (reason === 'Evicted') return `the node evicted its pod: ${message}`;
  const target = conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True');
  return target && `its pod was terminated: ${target.message ?? target.reason}`;
}
