import { type JsonRecord, recordOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** Annotations of binding and provisioning; not the storage class, which old claims have as an annotation. */
const BINDING_ANNOTATION =
  /^(pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/(selected-node|storage-provisioner|migrated-to))/;

/**
 * Removes the binding of a claim and the source of its data: a snapshot or claim that may be gone, while the data comes from the
 * recovery point. The claim of a static volume (storage class `""`) keeps the volume's name and its selector: nothing
 * provisions another one.
 */
export function cleanClaim({ metadata }: KubeObject, spec: JsonRecord): void {
  for (const field of ['dataSource', 'dataSourceRef']) delete spec[field];
  if (spec.storageClassName !== '') for (const field of ['volumeName', 'selector']) delete spec[field];
  const annotations = recordOf(metadata.annotations) ?? {};
  for (const name of Object.keys(annotations)) if (BINDING_ANNOTATION.test(name)) delete annotations[name];
}

/** A static volume is reserved for its claim by namespace and name: the restored claim has another uid. */
export function cleanVolume(_: KubeObject, spec: JsonRecord): void {
  const claim = recordOf(spec.claimRef);
  for (const field of ['uid', 'resourceVersion']) delete claim?.[field];
}
