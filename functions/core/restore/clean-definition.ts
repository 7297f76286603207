import { type JsonRecord, recordOf, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

const PRESERVE = 'x-kubernetes-preserve-unknown-fields';

/** Fields of each object that the API server checks itself. A schema may not say anything about the metadata. */
const CHECKED_BY_API_SERVER = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Makes a definition acceptable that keeps unknown fields as a whole (`preserveUnknownFields: true`, from the time of v1beta1):
 * v1 refuses to create that. Its schemas say the same instead, at every object in them: pruning begins again below each
 * property that a schema names.
 */
export function cleanDefinition(object: KubeObject, spec: JsonRecord): void {
  if (object.apiVersion === 'apiextensions.k8s.io/v1beta1' || spec.preserveUnknownFields !== true) return;
  delete spec.preserveUnknownFields;
  for (const version of recordsIn(spec.versions)) {
    version.schema ??= {};
    const schema = recordOf(version.schema);
    if (!schema) continue;
    schema.openAPIV3Schema ??= {};
    const root = recordOf(schema.openAPIV3Schema);
    if (root) root.type ??= 'object';
    preserveIn(root, true);
  }
}

function preserveIn(value: unknown, isResource = false): void {
  const schema = recordOf(value);
  if (!schema) return;
  if (schema.type === 'object' && schema.additionalProperties === undefined) schema[PRESERVE] = true;
  const isWhole = isResource || schema['x-kubernetes-embedded-resource'] === true;
  for (const [name, property] of Object.entries(recordOf(schema.properties) ?? {}))
    if (!isWhole || !CHECKED_BY_API_SERVER.has(name)) preserveIn(property);
  preserveIn(schema.items);
  preserveIn(schema.additionalProperties);
}
