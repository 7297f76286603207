import { fieldsOf, textOf } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

/** Set on a volume that a provisioner made for a claim. */
const PROVISIONED = 'pv.kubernetes.io/provisioned-by';

/**
 * Whether somebody made a PersistentVolume by hand, for storage that outlives it: an NFS share, a disk of a provider, a
 * folder of a node. No provisioner makes such a volume again, so it comes back with its claim.
 */
export function isStaticVolume({ metadata, spec }: KubeObject): boolean {
  const provisioned = textOf(fieldsOf(metadata.annotations)[PROVISIONED]) !== undefined;
  return !provisioned && fieldsOf(spec).persistentVolumeReclaimPolicy === 'Retain';
}
