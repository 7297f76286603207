import type { KubeObject } from '../kubernetes/resources.ts';

const number = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

/** Why a workload is not ready, as a readable message; undefined if it is ready or is not a workload. */
export function readiness(object: KubeObject): string | undefined {
  const { spec = {}, status = {}, metadata } = object;
  const seen = number(status.observedGeneration, 0) >= number(metadata.generation, 0);
  const [wanted, ready] =
    object.kind === 'Deployment' || object.kind === 'StatefulSet'
      ? [number(spec.replicas, 1), number(status.readyReplicas, 0)]
      : object.kind === 'DaemonSet'
        ? [number(status.desiredNumberScheduled, 0), number(status.numberReady, 0)]
        : [0, 0];
  if (object.kind === 'PersistentVolumeClaim' && status.phase === 'Lost')
    return 'the claim has lost its volume';
  const workload = ['Deployment', 'StatefulSet', 'DaemonSet'].includes(object.kind ?? '');
  if (workload && (!seen || ready < wanted)) return `${ready} of ${wanted} ready`;
  return undefined;
}
