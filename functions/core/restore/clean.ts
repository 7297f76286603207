import { createHash } from 'node:crypto';
import type { ArchivedName } from '../backup/archive.ts';
import { type JsonRecord, recordOf, recordsIn } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { cleanDefinition } from './clean-definition.ts';
import { cleanJob, cleanPod, dropTokenVolumes } from './clean-pod.ts';
import { cleanService } from './clean-service.ts';
import { cleanClaim, cleanVolume } from './clean-volume.ts';

export { dropTokenVolumes };

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

/** The longest value of a label. */
const LABEL_LENGTH = 63;

/** The value of a label for the name of a backup or restore: a longer name is shortened with a hash, as in Velero. */
export function labelValue(name: string): string {
  if (name.length <= LABEL_LENGTH) return name;
  return name.slice(0, LABEL_LENGTH - 6) + createHash('sha256').update(name).digest('hex').slice(0, 6);
}

/** Options of a restore that affect cleaning. */
interface CleanOptions {
  readonly preserveNodePorts: boolean;
}

/** Removes the fields that the cluster adds to objects of one type. Modifies the object and its spec. */
type Cleaning = (object: KubeObject, spec: JsonRecord, options: CleanOptions) => void;

/** By `plural[.group]`, not by kind: a custom resource may also have the kind Service. */
const CLEANINGS: ReadonlyMap<string, Cleaning> = new Map<string, Cleaning>([
  ['namespaces', cleanNamespace],
  ['persistentvolumeclaims', cleanClaim],
  ['persistentvolumes', cleanVolume],
  ['pods', cleanPod],
  ['secrets', cleanSecret],
  ['services', cleanService],
  ['jobs.batch', cleanJob],
  ['customresourcedefinitions.apiextensions.k8s.io', cleanDefinition],
]);

function cleanNamespace(object: KubeObject): void {
  delete object.spec;
}

/** What the token controller fills in, and what it and the API server note. */
const TOKEN_DATA = ['token', 'ca.crt', 'namespace', 'service-ca.crt'];
const TOKEN_NOTES = ['kubernetes.io/service-account.uid', 'kubernetes.io/legacy-token-last-used'];

/** A token Secret is created empty, so that the cluster fills it: the original token is worth nothing in another cluster. */
function cleanSecret(object: KubeObject): void {
  if (object.type !== 'kubernetes.io/service-account-token') return;
  const data = recordOf(object.data);
  for (const field of TOKEN_DATA) delete data?.[field];
  if (data && Object.keys(data).length === 0) delete object.data;
  for (const notes of [recordOf(object.metadata.annotations), recordOf(object.metadata.labels)])
    for (const note of TOKEN_NOTES) delete notes?.[note];
}

/**
 * Finalizers that the cluster adds again when it needs them. Without the object that they wait for, nothing would remove them,
 * and the restored object could not be deleted. The first two order a deletion.
 */
const CLUSTER_FINALIZER =
  /^(foregroundDeletion|orphan|kubernetes\.io\/pvc?-protection|service\.kubernetes\.io\/load-balancer-cleanup|batch\.kubernetes\.io\/job-tracking|customresourcecleanup\.apiextensions\.k8s\.io|external-attacher\/.*|external-provisioner\.volume\.kubernetes\.io\/.*|(snapshot|provisioner)\.storage\.kubernetes\.io\/.*)$/;

function cleanFinalizers({ metadata }: KubeObject): void {
  if (!Array.isArray(metadata.finalizers)) return;
  const kept = metadata.finalizers.filter((f) => typeof f !== 'string' || !CLUSTER_FINALIZER.test(f));
  if (kept.length > 0) metadata.finalizers = kept;
  else delete metadata.finalizers;
}

/**
 * Removes all fields that the cluster adds to objects, so that the create request contains only the user's intent. Fields of
 * an odd type stay as they are: the API server judges them. `groupResource`: the type in the archive. Modifies and returns
 * `object`.
 */
export function cleanForRestore(
  { groupResource }: Pick<ArchivedName, 'groupResource'>,
  object: KubeObject,
  labels: { backup: string; restore: string },
  preserveNodePorts = false,
): KubeObject {
  const { metadata } = object;
  // Before managedFields go: they tell what a manifest states.
  CLEANINGS.get(groupResource)?.(object, recordOf(object.spec) ?? {}, { preserveNodePorts });
  for (const field of DROPPED_METADATA) delete metadata[field];
  cleanFinalizers(object);
  delete object.status;
  delete recordOf(metadata.annotations)?.[UPDATED_ANNOTATION];
  if (metadata.labels == null || recordOf(metadata.labels))
    metadata.labels = {
      ...metadata.labels,
      [BACKUP_LABEL]: labelValue(labels.backup),
      [RESTORE_LABEL]: labelValue(labels.restore),
    };
  return object;
}

/** A merge patch for an existing object. */
export interface Change {
  readonly metadata: Partial<Pick<KubeObject['metadata'], 'labels' | 'annotations'>> & {
    /** The patch conflicts if the object has another one by now. */
    readonly resourceVersion?: string;
  };
}

/**
 * The merge patch for an existing ServiceAccount: labels and annotations of the archived one, and the secrets of both.
 * Generated token secrets of the original cluster are excluded.
 */
export function mergedAccount(live: KubeObject, archived: KubeObject): Change {
  const { labels, annotations, name } = archived.metadata;
  const both = (key: 'secrets' | 'imagePullSecrets') => {
    const [had, got] = [recordsIn(live[key]), recordsIn(archived[key])];
    const known = new Set(had.map((s) => s.name));
    const isGenerated = (secret: unknown) =>
      typeof secret === 'string' && secret.startsWith(`${name}-token-`);
    const added = got.filter((s) => !known.has(s.name) && !isGenerated(s.name));
    return added.length > 0 ? { [key]: [...had, ...added] } : {};
  };
  return {
    metadata: { ...(labels && { labels }), ...(annotations && { annotations }) },
    ...both('secrets'),
    ...both('imagePullSecrets'),
  };
}

const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** Identity of a binding's subject. The API server writes the default of `apiGroup`. */
function keyOfSubject({ kind, apiGroup, namespace, name }: JsonRecord): string {
  const group = apiGroup ?? (kind === 'ServiceAccount' ? '' : RBAC_GROUP);
  return JSON.stringify([kind, group, namespace ?? '', name]);
}

/**
 * The merge patch that adds the wanted subjects to an existing RoleBinding or ClusterRoleBinding. The existing ones stay in
 * their order: nobody loses rights. It conflicts if the binding was changed since it was read.
 */
export function withAddedSubjects(
  live: KubeObject,
  wanted: KubeObject,
): Change & { readonly subjects: readonly unknown[] } {
  const had = Array.isArray(live.subjects) ? (live.subjects as unknown[]) : [];
  const known = new Set(recordsIn(had).map(keyOfSubject));
  const added = recordsIn(wanted.subjects).filter((subject) => {
    const key = keyOfSubject(subject);
    return !known.has(key) && known.add(key);
  });
  const { resourceVersion } = live.metadata;
  const metadata = typeof resourceVersion === 'string' ? { resourceVersion } : {};
  return { metadata, subjects: [...had, ...added] };
}
