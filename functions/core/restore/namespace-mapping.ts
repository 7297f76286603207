import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { recordOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { NAME_LABEL, namespaceReferences } from './namespace-references.ts';
import { LAST_APPLIED, lastApplied } from './stated-fields.ts';

/** Original name to new name. */
type Mapping = Readonly<Record<string, string>>;

/** Where a mapping takes a name; undefined if it does not name it, or if it is no name. */
export function mappedTo(mapping: Mapping | undefined, name: unknown): string | undefined {
  return mapping && typeof name === 'string' && Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}

/** Name and namespace of an archived object after the mapping. */
export function targetOf(at: ArchivedName, options: RestoreOptions): ArchivedName {
  const mapped = (name: string) => mappedTo(options.namespaceMapping, name) ?? name;
  if (at.groupResource === 'namespaces') return { ...at, name: mapped(at.name) };
  return at.namespace === undefined ? at : { ...at, namespace: mapped(at.namespace) };
}

type At = Pick<ArchivedName, 'groupResource'>;

/**
 * Applies a namespace mapping to an object: to its own namespace, to the name of a Namespace, to what the object refers to, and
 * to kubectl's copy of its manifest, which the next `kubectl apply` reads. Modifies `object`.
 */
export function mapNamespaces(at: At, object: KubeObject, mapping: Mapping): void {
  if (Object.keys(mapping).length === 0) return;
  mapManifest(at, object, mapping);
  const manifest = lastApplied(object);
  if (!recordOf(manifest?.metadata)) return;
  const before = JSON.stringify(manifest);
  mapManifest(at, manifest as KubeObject, mapping);
  const after = JSON.stringify(manifest);
  // kubectl ends the manifest with a newline.
  if (after !== before && object.metadata.annotations)
    object.metadata.annotations[LAST_APPLIED] = `${after}\n`;
}

function mapManifest(at: At, object: KubeObject, mapping: Mapping): void {
  const { metadata } = object;
  if (at.groupResource === 'namespaces') {
    metadata.name = mappedTo(mapping, metadata.name) ?? metadata.name;
    const labels = recordOf(metadata.labels);
    if (labels && Object.hasOwn(labels, NAME_LABEL)) labels[NAME_LABEL] = metadata.name;
  }
  const namespace = mappedTo(mapping, metadata.namespace);
  if (namespace !== undefined) metadata.namespace = namespace;
  for (const { namespace: from, set } of namespaceReferences(at, object)) {
    const to = mappedTo(mapping, from);
    if (to !== undefined) set(to);
  }
}

/**
 * Whether an object that is not mapped itself refers to a mapped namespace: a cluster-scoped one, or one in another namespace.
 * Mapped onto an existing object of that name, it would take the reference away from the original. `object`: as archived.
 */
export function touchesMappedNamespace(at: ArchivedName, object: KubeObject, mapping: Mapping): boolean {
  const isMapped =
    at.groupResource === 'namespaces' ||
    (at.namespace !== undefined && mappedTo(mapping, at.namespace) !== undefined);
  if (isMapped) return false;
  return namespaceReferences(at, object).some(({ namespace }) => mappedTo(mapping, namespace) !== undefined);
}
