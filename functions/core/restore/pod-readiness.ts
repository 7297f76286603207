import { type JsonRecord, recordAt, recordOf, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { conditionOf, isTrue, textOr } from './conditions.ts';

/**
 * Why a pod is not ready: the scheduler's words, or what a container waits for. A pod that has succeeded is ready, and so is one
 * that a scheduling gate holds back on purpose.
 */
export function podReadiness(pod: KubeObject): string | undefined {
  const [spec, status] = [recordOf(pod.spec), recordOf(pod.status)];
  const phase = textOr(status?.phase) ?? 'Pending';
  if (phase === 'Succeeded' || recordsIn(spec?.schedulingGates).length > 0) return undefined;
  if (phase === 'Running' && isTrue(conditionOf(pod, 'Ready'))) return undefined;
  const ready = conditionOf(pod, 'Ready');
  const why =
    failureOf(phase, status) ??
    unscheduled(pod) ??
    blockedContainer(status) ??
    textOr(status?.message, ready?.message);
  return why === undefined ? notReady(phase) : `${phase}: ${why}`;
}

const notReady = (phase: string): string => (phase === 'Running' ? 'Running, but not ready' : phase);

const failureOf = (phase: string, status: JsonRecord | undefined): string | undefined =>
  phase === 'Failed' ? textOr(status?.message, status?.reason) : undefined;

function unscheduled(pod: KubeObject): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  return scheduled?.status === 'False' ? textOr(scheduled.message, scheduled.reason) : undefined;
}

/** `main: ImagePullBackOff: Back-off pulling image "nginx:none"`. */
function blockedContainer(status: JsonRecord | undefined): string | undefined {
  const all = [...recordsIn(status?.initContainerStatuses), ...recordsIn(status?.containerStatuses)];
  // A container that has not begun says little beside one that cannot.
  const isOrdinary = (reason: unknown) => reason === 'PodInitializing' || reason === 'ContainerCreating';
  const waiting = all.filter((c) => recordAt(c, 'state', 'waiting') !== undefined);
  const first =
    waiting.find((c) => !isOrdinary(recordAt(c, 'state', 'waiting')?.reason)) ??
    all.find((c) => recordAt(c, 'state', 'terminated') !== undefined && c.ready !== true) ??
    waiting[0];
  const state = recordAt(first, 'state', 'waiting') ?? recordAt(first, 'state', 'terminated');
  const words = [textOr(first?.name), textOr(state?.reason), textOr(state?.message)];
  return state === undefined ? undefined : words.filter((word) => word !== undefined).join(': ') || undefined;
}
