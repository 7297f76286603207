import { fieldsOf, type JsonRecord, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from './resources.ts';

/**
 * The parts of a pod spec that decisions read. Its lists are lists of objects, whatever the archive has; their elements
 * are those of the object itself.
 */
export interface PodSpec {
  readonly fields: JsonRecord;
  readonly volumes: JsonRecord[];
  readonly containers: JsonRecord[];
  readonly initContainers: JsonRecord[];
  readonly ephemeralContainers: JsonRecord[];
}

/** Where the built-in types have their pod spec. */
const IN_TEMPLATE = ['spec', 'template', 'spec'];
const PLACES: ReadonlyMap<string, readonly string[]> = new Map([
  ['pods', ['spec']],
  ['podtemplates', ['template', 'spec']],
  ['replicationcontrollers', IN_TEMPLATE],
  ['deployments.apps', IN_TEMPLATE],
  ['replicasets.apps', IN_TEMPLATE],
  ['statefulsets.apps', IN_TEMPLATE],
  ['daemonsets.apps', IN_TEMPLATE],
  ['jobs.batch', IN_TEMPLATE],
  ['cronjobs.batch', ['spec', 'jobTemplate', ...IN_TEMPLATE]],
]);

/** The fields that lead to the pod spec of a built-in type; undefined for every other type. */
export const podPathOf = (groupResource: string): readonly string[] | undefined => PLACES.get(groupResource);

/**
 * The pod spec of an object, by its type in the archive; `kind` may be missing or wrong. Objects of other types have one
 * if their `spec.template.spec` has a list of containers.
 */
export function podSpecOf(
  { groupResource }: { readonly groupResource: string },
  object: KubeObject,
): PodSpec | undefined {
  const place = PLACES.get(groupResource);
  const fields = (place ?? IN_TEMPLATE).reduce<JsonRecord>((o, name) => fieldsOf(o[name]), object);
  if (!place && !Array.isArray(fields.containers)) return undefined;
  return {
    fields,
    volumes: recordsIn(fields.volumes),
    containers: recordsIn(fields.containers),
    initContainers: recordsIn(fields.initContainers),
    ephemeralContainers: recordsIn(fields.ephemeralContainers),
  };
}
