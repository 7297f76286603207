import type { ArchivedName } from '../backup/archive.ts';
import type { KubeObject, ResourceType } from '../kubernetes/resources.ts';

/** Velero's order. Stage 1: everything that must exist before volumes are restored. Stage 2: the rest. */
const STAGE_1 = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'storageclasses.storage.k8s.io',
  'persistentvolumeclaims',
  'clusterroles.rbac.authorization.k8s.io',
  'roles.rbac.authorization.k8s.io',
  'serviceaccounts',
  'clusterrolebindings.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'secrets',
  'configmaps',
  'limitranges',
  'priorityclasses.scheduling.k8s.io',
];
const STAGE_2_FIRST = ['pods', 'replicasets.apps', 'endpoints', 'services'];
const STAGE_2_LAST = [
  'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  'validatingwebhookconfigurations.admissionregistration.k8s.io',
];

/** Types that a restore never writes, with the reason that its plan shows. */
const NEVER: Record<string, string> = {
  nodes: 'nodes register themselves',
  events: 'events describe the past',
  'events.events.k8s.io': 'events describe the past',
  'csinodes.storage.k8s.io': 'nodes register themselves',
  'volumeattachments.storage.k8s.io': 'the cluster attaches volumes itself',
  'endpointslices.discovery.k8s.io': 'created from the Service and its pods',
  persistentvolumes: 'fresh volumes are provisioned for the claims',
  'volumesnapshots.snapshot.storage.k8s.io': 'a snapshot of the original volume cannot be recreated',
  'volumesnapshotcontents.snapshot.storage.k8s.io': 'it refers to the storage of the original volume',
};

type RestoreAction = 'create' | 'skip' | 'hold';

/** One line of a restore plan: what happens to an object, in which order, and why. */
export interface PlanItem extends ArchivedName {
  readonly stage: 1 | 2;
  readonly order: number;
  readonly action: RestoreAction;
  readonly reason?: string;
  /** Size of the object in the archive; 0 for a Namespace that the archive does not hold. */
  readonly bytes: number;
  /** Its owners in the recovery point: the key of the item, and whether the owner is its controller. */
  readonly owners?: readonly { readonly key: string; readonly controller: boolean }[];
  /** Key of the item whose built-in controller makes this object again; the action is `skip`. */
  readonly madeBy?: string;
}

/** Stage and position of a type. */
export function restoreOrder(groupResource: string): { stage: 1 | 2; order: number } {
  const first = STAGE_1.indexOf(groupResource);
  if (first >= 0) return { stage: 1, order: first };
  const early = STAGE_2_FIRST.indexOf(groupResource);
  if (early >= 0) return { stage: 2, order: early };
  const late = STAGE_2_LAST.indexOf(groupResource);
  return { stage: 2, order: late >= 0 ? 200 + late : 100 };
}

function terminated(object: KubeObject): boolean {
  const phase = object.status?.phase;
  return object.kind === 'Pod' && (phase === 'Succeeded' || phase === 'Failed');
}

function finishedJob(object: KubeObject): boolean {
  const conditions = (object.status?.conditions ?? []) as { type: string; status: string }[];
  return (
    object.kind === 'Job' &&
    conditions.some((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True')
  );
}

/** Endpoints that a controller manages: they have its annotation or label (older ones may not), or they refer to pods. */
function isOfController({ metadata, subsets }: KubeObject): boolean {
  const mark =
    metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'] ??
    metadata.labels?.['endpoints.kubernetes.io/managed-by'];
  const all = (subsets ?? []) as { addresses?: Address[]; notReadyAddresses?: Address[] }[];
  const addresses = all.flatMap((s) => [...(s.addresses ?? []), ...(s.notReadyAddresses ?? [])]);
  return mark !== undefined || addresses.some((a) => a.targetRef?.kind === 'Pod');
}
interface Address {
  targetRef?: { kind?: string };
}

/** Why an object is never restored, regardless of its owner. */
function neverReason(at: ArchivedName, object: KubeObject): string | undefined {
  if (NEVER[at.groupResource]) return NEVER[at.groupResource];
  if (object.metadata.annotations?.['kubernetes.io/config.mirror']) return 'a mirror pod belongs to its node';
  if (terminated(object)) return 'the pod has ended';
  if (finishedJob(object)) return 'the Job has ended';
  return undefined;
}

/** Why an object without a controller in the backup is not restored. */
function skipReason(at: ArchivedName, object: KubeObject): string | undefined {
  if (at.groupResource === 'endpoints' && isOfController(object))
    return 'created from the Service and its pods';
  if (at.groupResource.startsWith('apiservices.') && object.spec?.service == null)
    return 'registered by the API server itself';
  if (object.type === 'kubernetes.io/service-account-token') return 'a token of the original cluster';
  if (at.groupResource === 'configmaps' && at.name === 'kube-root-ca.crt') return 'published by the cluster';
  return undefined;
}

/** The decision about one object as far as it depends only on the object. planItem completes it. */
export interface ItemDraft {
  readonly at: ArchivedName;
  /** Size of the object in the archive. */
  readonly bytes: number;
  /** Why it is skipped, unless one of its controllers creates it. */
  readonly skip?: string;
  /** Its controllers. A controller in the recovery point creates the object again. */
  readonly controllers: readonly { readonly uid: string; readonly kind: string; readonly name: string }[];
  /** Why it is held for approval, if it is not skipped. */
  readonly held?: string;
}

/**
 * Applies all rules that depend only on the object. Every rule that reads the object belongs here: it is the complete
 * archived object, which is not kept afterwards. `held`: why the object is held for approval.
 */
export function draftItem(at: ArchivedName, object: KubeObject, bytes: number, held?: string): ItemDraft {
  const never = neverReason(at, object);
  const skip = never ?? skipReason(at, object);
  const isMadeAgain = never === undefined && at.groupResource !== 'persistentvolumeclaims';
  const owners = isMadeAgain ? (object.metadata.ownerReferences ?? []) : [];
  return {
    at,
    bytes,
    ...(skip && { skip }),
    controllers: owners.filter((o) => o.controller).map(({ uid, kind, name }) => ({ uid, kind, name })),
    ...(held && { held }),
  };
}

/** Completes a decision when the complete recovery point is known. `inBackup`: whether an object with this uid is in it. */
export function planItem(
  { at, bytes, skip: alone, controllers, held }: ItemDraft,
  inBackup: (uid: string) => boolean,
): PlanItem {
  const owner = controllers.find((o) => inBackup(o.uid));
  const skip = owner ? `created by ${owner.kind}/${owner.name}` : alone;
  const reason = skip ?? held;
  return {
    ...at,
    ...restoreOrder(at.groupResource),
    action: skip ? 'skip' : held ? 'hold' : 'create',
    bytes,
    ...(reason && { reason }),
  };
}

/** Order of work: stage, then type, then group name, namespace and name. */
export function compareItems(a: PlanItem, b: PlanItem): number {
  const text = (i: PlanItem) => `${i.groupResource}\n${i.namespace ?? ''}\n${i.name}`;
  return a.stage - b.stage || a.order - b.order || (text(a) < text(b) ? -1 : 1);
}

/** Identity of an object within an archive. */
export function itemKey(at: ArchivedName): string {
  return `${at.groupResource}/${at.version}/${at.namespace ?? ''}/${at.name}`;
}

/** The identity in an item key. No part contains a slash. */
export function keyParts(key: string): ArchivedName {
  const [groupResource = '', version = '', namespace = '', name = ''] = key.split('/');
  return { groupResource, version, namespace: namespace || undefined, name };
}

/** The collection of an archived object. Kind and scope are not needed for a path. */
export function typeOfItem(item: ArchivedName): ResourceType {
  const [resource, ...group] = item.groupResource.split('.');
  return {
    resource: resource as string,
    group: group.join('.'),
    version: item.version,
    kind: '',
    namespaced: item.namespace !== undefined,
  };
}
