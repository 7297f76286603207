import type { ArchivedName } from '../backup/archive.ts';
import type { ResourceType } from '../kubernetes/resources.ts';

/** Velero's order. Stage 1: everything that must exist before volumes are restored. Stage 2: the rest. */
const STAGE_1 = [
  'customresourcedefinitions.apiextensions.k8s.io',
  'namespaces',
  'storageclasses.storage.k8s.io',
  'persistentvolumes',
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
  /** Key of the item from which built-in controllers make this object again; the action is `skip`. That item may be held. */
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

/** Order of work: stage, then type, then group name, namespace and name. */
export function compareItems(a: PlanItem, b: PlanItem): number {
  return (
    a.stage - b.stage ||
    a.order - b.order ||
    compareText(a.groupResource, b.groupResource) ||
    compareText(a.namespace ?? '', b.namespace ?? '') ||
    compareText(a.name, b.name)
  );
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

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
