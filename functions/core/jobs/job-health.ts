import type { KubeObject } from '../kubernetes/resources.ts';

/** An event of the cluster, reduced to what is read of it. */
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

/** Whether a container of the pod has run: from then on it is restic that tells how it goes. */
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
 * What keeps a Job's pod from starting, in words; undefined when nothing is known to. `events`: of the Job when it
 * has no pod, else of the pod.
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

/** Why the API server takes no pod of a Job. */
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

/** Why a pod was ended from outside, in words; undefined when it ended by itself. */
export function endedFromOutside(pod: KubeObject): string | undefined {
  const { reason, message, conditions } = statusOf(pod);
  if (reason === 'Evicted') return `the node evicted its pod: ${message}`;
  const target = conditions?.find((c) => c.type === 'DisruptionTarget' && c.status === 'True');
  return target && `its pod was terminated: ${target.message ?? target.reason}`;
}
