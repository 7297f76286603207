import type { KubeObject } from './resources.ts';

const DROPPED_METADATA = [
  'generateName',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'managedFields',
];

/** Labels that say from where an object came. Velero's own names, so that its tools find them. */
export const BACKUP_LABEL = 'velero.io/backup-name';
export const RESTORE_LABEL = 'velero.io/restore-name';

type Spec = Record<string, unknown>;

function cleanService(spec: Spec): void {
  if (spec.clusterIP !== 'None') {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  delete spec.healthCheckNodePort;
  for (const port of (spec.ports ?? []) as Spec[]) delete port.nodePort;
}

function cleanPod(spec: Spec): void {
  for (const field of ['nodeName', 'priority', 'preemptionPolicy']) delete spec[field];
  const token = (name: unknown) => typeof name === 'string' && name.startsWith('kube-api-access-');
  spec.volumes = ((spec.volumes ?? []) as Spec[]).filter((v) => !token(v.name));
  for (const list of ['containers', 'initContainers'] as const) {
    for (const c of (spec[list] ?? []) as Spec[]) {
      c.volumeMounts = ((c.volumeMounts ?? []) as Spec[]).filter((m) => !token(m.name));
    }
  }
}

function cleanJob(spec: Spec): void {
  const uidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
  const selector = (spec.selector as { matchLabels?: Spec } | undefined)?.matchLabels;
  const labels = (spec.template as { metadata?: { labels?: Spec } } | undefined)?.metadata?.labels;
  for (const label of uidLabels) {
    delete selector?.[label];
    delete labels?.[label];
  }
  if (selector && Object.keys(selector).length === 0) delete spec.selector;
}

function cleanClaim(object: KubeObject): void {
  delete object.spec?.volumeName;
  for (const name of Object.keys(object.metadata.annotations ?? {})) {
    if (/^(pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/)/.test(name))
      delete object.metadata.annotations?.[name];
  }
}

/** What the cluster adds to its objects by itself is taken off, so that a create asks only for what a person meant. */
export function cleanForRestore(
  archived: KubeObject,
  labels: { backup: string; restore: string },
): KubeObject {
  const object = structuredClone(archived);
  for (const field of DROPPED_METADATA) delete object.metadata[field];
  delete object.status;
  if (object.kind === 'PersistentVolumeClaim') cleanClaim(object);
  if (object.kind === 'Service' && object.spec) cleanService(object.spec);
  if (object.kind === 'Pod' && object.spec) cleanPod(object.spec);
  if (object.kind === 'Job' && object.spec) cleanJob(object.spec);
  if (object.kind === 'Namespace') delete object.spec;
  object.metadata.labels = {
    ...object.metadata.labels,
    [BACKUP_LABEL]: labels.backup,
    [RESTORE_LABEL]: labels.restore,
  };
  return object;
}
