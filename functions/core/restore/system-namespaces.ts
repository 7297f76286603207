import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { targetOf } from './namespace-mapping.ts';

/** Namespaces of the platform. Kubernetes reserves the prefix `kube-`, OpenShift and GKE theirs. */
const PLATFORM =
  /^(kube-.*|openshift(-.*)?|gke-.*|calico-system|tigera-operator|cattle-system|amazon-guardduty)$/;

/** Whether parts of the cluster itself run in a namespace: who writes there writes the cluster. */
export const isSystemNamespace = (namespace: string): boolean =>
  namespace === SYSTEM_NAMESPACE || PLATFORM.test(namespace);

/** The system namespace that an object is in, or that a mapping takes it to; undefined if it is in none. */
export function systemNamespaceOf(at: ArchivedName, options: RestoreOptions): string | undefined {
  const all = [at.namespace, targetOf(at, options).namespace];
  return all.find((namespace) => namespace !== undefined && isSystemNamespace(namespace));
}
