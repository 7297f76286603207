import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { type JsonRecord, recordAt, recordOf, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { cleanForRestore } from './clean.ts';
import { mapImage, mapImages } from './image-mapping.ts';
import { modifiersFor } from './modifiers.ts';
import { mapNamespaces, mappedTo, targetOf } from './namespace-mapping.ts';

export { mapImage, targetOf };

/** Origin of a restored object, for its labels. */
export interface Origin {
  readonly backup: string;
  readonly restore: string;
}

/**
 * Transforms an archived object for the API server: cleans it, applies the mappings, then the resource modifiers.
 * Modifies `object`; its status is neither sent nor modified. Throws RangeError if a modifier cannot be applied.
 */
export function transform(
  at: ArchivedName,
  object: KubeObject,
  options: RestoreOptions,
  origin: Origin,
): KubeObject {
  const modify = modifiersFor(at, object, options.resourceModifiers ?? []);
  const cleaned = cleanForRestore(at, object, origin, options.preserveNodePorts ?? false);
  mapNamespaces(at, cleaned, options.namespaceMapping ?? {});
  mapStorageClass(at, cleaned, options.storageClassMapping ?? {});
  mapImages(cleaned, options.imageRegistryMapping ?? {});
  return modify(cleaned);
}

type Mapping = Readonly<Record<string, string>>;

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** Fields with claims or templates of claims, by `plural[.group]`. */
function claimsOf({ groupResource }: ArchivedName, object: KubeObject): JsonRecord[] {
  if (groupResource === 'persistentvolumeclaims' || groupResource === 'persistentvolumes') return [object];
  return groupResource === 'statefulsets.apps' ? recordsIn(recordOf(object.spec)?.volumeClaimTemplates) : [];
}

function mapStorageClass(at: ArchivedName, object: KubeObject, mapping: Mapping): void {
  const map = (holder: JsonRecord | undefined, field: string) => {
    const to = mappedTo(mapping, holder?.[field]);
    if (holder && to !== undefined) holder[field] = to;
  };
  for (const claim of claimsOf(at, object)) {
    map(recordOf(claim.spec), 'storageClassName');
    map(recordAt(claim, 'metadata', 'annotations'), BETA_CLASS);
  }
}
