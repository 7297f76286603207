import type { ArchivedName } from '../backup/archive.ts';
import type { KubeObject } from '../kubernetes/resources.ts';

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

/** Labels for the origin of a restored object. Velero's names, so that its tools find them. */
export const BACKUP_LABEL = 'velero.io/backup-name';
export const RESTORE_LABEL = 'velero.io/restore-name';

/** The restore that updated an existing object. Objects that a restore created have only the label. */
export const UPDATED_ANNOTATION = 'holdfast.io/updated-by';

type Spec = Record<string, unknown>;

/** Options of a restore that affect cleaning. */
interface CleanOptions {
  readonly preserveNodePorts: boolean;
}

/** Removes the fields that the cluster adds to objects of one type. Modifies the object and its spec. */
type Cleaning = (object: KubeObject, spec: Spec, options: CleanOptions) => void;

/** By `plural[.group]`, not by kind: a custom resource may also have the kind Service. */
const CLEANINGS: ReadonlyMap<string, Cleaning> = new Map<string, Cleaning>([
  ['namespaces', cleanNamespace],
  ['persistentvolumeclaims', cleanClaim],
  ['pods', cleanPod],
  ['services', cleanService],
  ['jobs.batch', cleanJob],
]);

function cleanNamespace(object: KubeObject): void {
  delete object.spec;
}

function cleanService({ metadata }: KubeObject, spec: Spec, { preserveNodePorts }: CleanOptions): void {
  if (spec.clusterIP !== 'None') {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (preserveNodePorts) return;
  delete spec.healthCheckNodePort;
  const meant = nodePortsMeant(metadata.annotations?.[LAST_APPLIED]);
  for (const port of (spec.ports ?? []) as Spec[]) if (!meant.has(port.nodePort)) delete port.nodePort;
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Node ports in the last applied manifest. They are kept, as in Velero. */
function nodePortsMeant(lastApplied: string | undefined): Set<unknown> {
  try {
    const ports = (JSON.parse(lastApplied ?? '{}') as { spec?: { ports?: Spec[] } }).spec?.ports ?? [];
    return new Set(ports.map((p) => p.nodePort).filter((p) => p !== undefined));
  } catch {
    return new Set();
  }
}

function cleanPod(_: KubeObject, spec: Spec): void {
  for (const field of ['nodeName', 'priority', 'preemptionPolicy', 'ephemeralContainers']) delete spec[field];
  dropTokenVolumes(spec);
}

/** Removes the service account token volume of a pod: admission adds one with a new name to each pod. */
export function dropTokenVolumes(spec: Spec): void {
  const token = (name: unknown) => typeof name === 'string' && name.startsWith('kube-api-access-');
  spec.volumes = ((spec.volumes ?? []) as Spec[]).filter((v) => !token(v.name));
  for (const list of ['containers', 'initContainers'] as const) {
    for (const c of (spec[list] ?? []) as Spec[]) {
      c.volumeMounts = ((c.volumeMounts ?? []) as Spec[]).filter((m) => !token(m.name));
    }
  }
}

function cleanJob(_: KubeObject, spec: Spec): void {
  const uidLabels = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
  const selector = (spec.selector as { matchLabels?: Spec } | undefined)?.matchLabels;
  const labels = (spec.template as { metadata?: { labels?: Spec } } | undefined)?.metadata?.labels;
  for (const label of uidLabels) {
    delete selector?.[label];
    delete labels?.[label];
  }
  if (selector && Object.keys(selector).length === 0) delete spec.selector;
}

/** Annotations of binding and provisioning; not the storage class, which old claims have as an annotation. */
const BINDING_ANNOTATION =
  /^(pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/(selected-node|storage-provisioner|migrated-to))/;

function cleanClaim({ metadata }: KubeObject, spec: Spec): void {
  delete spec.volumeName;
  for (const name of Object.keys(metadata.annotations ?? {})) {
    if (BINDING_ANNOTATION.test(name)) delete metadata.annotations?.[name];
  }
}

/**
 * Removes all fields that the cluster adds to objects, so that the create request contains only the user's intent.
 * `groupResource`: the type in the archive. Modifies and returns `object`.
 */
export function cleanForRestore(
  { groupResource }: Pick<ArchivedName, 'groupResource'>,
  object: KubeObject,
  labels: { backup: string; restore: string },
  preserveNodePorts = false,
): KubeObject {
  for (const field of DROPPED_METADATA) delete object.metadata[field];
  delete object.status;
  delete object.metadata.annotations?.[UPDATED_ANNOTATION];
  CLEANINGS.get(groupResource)?.(object, object.spec ?? {}, { preserveNodePorts });
  object.metadata.labels = {
    ...object.metadata.labels,
    [BACKUP_LABEL]: labels.backup,
    [RESTORE_LABEL]: labels.restore,
  };
  return object;
}

/** A merge patch for an existing object. */
export interface Change {
  readonly metadata: Partial<Pick<KubeObject['metadata'], 'labels' | 'annotations'>>;
}

/**
 * The merge patch for an existing ServiceAccount: labels and annotations of the archived one, and the secrets of both.
 * Generated token secrets of the original cluster are excluded.
 */
export function mergedAccount(live: KubeObject, archived: KubeObject): Change {
  const { labels, annotations, name } = archived.metadata;
  const both = (key: 'secrets' | 'imagePullSecrets') => {
    const [had = [], got = []] = [live[key], archived[key]] as { name?: string }[][];
    const known = new Set(had.map((s) => s.name));
    const added = got.filter((s) => !known.has(s.name) && !s.name?.startsWith(`${name}-token-`));
    return added.length > 0 ? { [key]: [...had, ...added] } : {};
  };
  return {
    metadata: { ...(labels && { labels }), ...(annotations && { annotations }) },
    ...both('secrets'),
    ...both('imagePullSecrets'),
  };
}
