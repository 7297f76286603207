import type { KubeObject } from './resources.ts';

export interface PodSpec {
  hostPID?: boolean;
  hostIPC?: boolean;
  hostNetwork?: boolean;
  volumes?: { name: string; hostPath?: unknown }[];
  containers?: Container[];
  initContainers?: Container[];
}

interface Container {
  name: string;
  securityContext?: { privileged?: boolean };
}

/** The pod spec of a Pod, a CronJob or any object with a pod template; undefined for other objects. */
export function podSpecOf(object: KubeObject): PodSpec | undefined {
  const spec = object.spec as
    | { template?: { spec?: PodSpec }; jobTemplate?: { spec?: { template?: { spec?: PodSpec } } } }
    | undefined;
  if (object.kind === 'Pod') return spec as PodSpec | undefined;
  if (object.kind === 'CronJob') return spec?.jobTemplate?.spec?.template?.spec;
  return Array.isArray(spec?.template?.spec?.containers) ? spec.template.spec : undefined;
}
