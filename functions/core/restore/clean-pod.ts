import { type JsonRecord, recordAt, recordOf, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** Removes what the scheduler and admission wrote into a pod, and the containers that somebody added to look into it. */
export function cleanPod(_: KubeObject, spec: JsonRecord): void {
  for (const field of ['nodeName', 'priority', 'preemptionPolicy', 'ephemeralContainers']) delete spec[field];
  dropTokenVolumes(spec);
}

const isToken = (value: unknown): boolean => {
  const name = recordOf(value)?.name;
  return typeof name === 'string' && name.startsWith('kube-api-access-');
};

/** Removes the service account token volume of a pod: admission adds one with a new name to each pod. */
export function dropTokenVolumes(spec: JsonRecord): void {
  dropFrom(spec, 'volumes');
  for (const list of ['containers', 'initContainers'])
    for (const container of recordsIn(spec[list])) dropFrom(container, 'volumeMounts');
}

function dropFrom(holder: JsonRecord, field: string): void {
  const list = holder[field];
  if (Array.isArray(list)) holder[field] = list.filter((entry) => !isToken(entry));
}

const UID_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid'];

/** Removes the selector and the labels that the API server made of a Job's uid. A Job with `manualSelector` has its own. */
export function cleanJob({ metadata }: KubeObject, spec: JsonRecord): void {
  if (spec.manualSelector === true) return;
  const matchLabels = recordAt(spec, 'selector', 'matchLabels');
  for (const labels of [
    matchLabels,
    recordAt(spec, 'template', 'metadata', 'labels'),
    recordOf(metadata.labels),
  ])
    for (const label of UID_LABELS) delete labels?.[label];
  if (matchLabels && Object.keys(matchLabels).length === 0) delete spec.selector;
}
