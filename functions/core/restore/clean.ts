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

/** Labels that say from where an object came. Velero's own names, so that its tools find them. */
export const BACKUP_LABEL = 'velero.io/backup-name';
export const RESTORE_LABEL = 'velero.io/restore-name';

/** The restore that changed an object it had found. One that it created has the label alone. */
export const UPDATED_ANNOTATION = 'holdfast.io/updated-by';

type Spec = Record<string, unknown>;

/** Of a restore: what its cleaning depends on. */
interface CleanOptions {
  readonly preserveNodePorts: boolean;
}

/** Takes off what the cluster adds to the objects of one type. Changes the object, and its spec where it has one. */
type Cleaning = (object: KubeObject, spec: Spec, options: CleanOptions) => void;

/** By `plural[.group]`, not by kind: a custom resource whose kind is Service is none of ours. */
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

/** Node ports that a person wrote into a manifest: those are kept, as Velero keeps them. */
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

/** Takes the volume of the service account's token off a pod: admission gives each pod one, under a name of its own. */
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

/** What binding and provisioning wrote; not the storage class, which old claims have as an annotation. */
const BINDING_ANNOTATION =
  /^(pv\.kubernetes\.io\/|volume\.(beta\.)?kubernetes\.io\/(selected-node|storage-provisioner|migrated-to))/;

function cleanClaim({ metadata }: KubeObject, spec: Spec): void {
  delete spec.volumeName;
  for (const name of Object.keys(metadata.annotations ?? {})) {
    if (BINDING_ANNOTATION.test(name)) delete metadata.annotations?.[name];
  }
}

/**
 * What the cluster adds to its objects by itself is taken off, so that a create asks only for what a person meant.
 * `groupResource`: the type, as the archive has it. Changes the object itself, which was parsed for this.
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

/** What is changed of an object that is there, as a merge patch. */
export interface Change {
  readonly metadata: Partial<Pick<KubeObject['metadata'], 'labels' | 'annotations'>>;
}

/**
 * What a ServiceAccount that is there already gets from the archived one: its labels, annotations and the secrets of
 * both. The token secret that old clusters made of their own accord is not among them: it is of another cluster.
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
