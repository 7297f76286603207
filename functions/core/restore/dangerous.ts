import { SYSTEM_NAMESPACE } from '../../contract/names.ts';
import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import { matchesGlob } from '../kubernetes/patterns.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import { type Roles, rolesOf } from './archived-roles.ts';
import {
  accountDanger,
  configDanger,
  definitionDanger,
  loweredLevel,
  namespaceDanger,
  priorityDanger,
  secretDanger,
} from './dangerous-core.ts';
import {
  addressesOf,
  endpointsDanger,
  ingressDanger,
  serviceDanger,
  sliceDanger,
} from './dangerous-network.ts';
import { podDanger } from './dangerous-pods.ts';
import {
  bindingFindings,
  isBinding,
  isRole,
  type Pending,
  pendingReason,
  roleFindings,
} from './dangerous-rbac.ts';
import { classDanger, deviceDanger, driverDanger, volumeDanger } from './dangerous-storage.ts';
import { FLUX, heldType } from './dangerous-types.ts';
import { placeOf } from './references.ts';
import type { RoleGrants } from './role-grants.ts';
import { recordField, textField } from './strict-fields.ts';
import { systemNamespaceOf } from './system-namespaces.ts';

/** What is found out about an archived object: an attacker who can write to a backup may seize the cluster with it. */
export interface Findings {
  /** Why it is held for approval, whatever else the recovery point holds. */
  readonly held?: string;
  /** Of a role: what is kept of it, so that others can be judged. */
  readonly role?: RoleGrants;
  /** Of a role or a binding that is not allowed: what is decided when all roles are known. */
  readonly pending?: Pending;
}

/**
 * Examines an archived object by its path and by what it grants, never by its kind. What `allow` of the restore names is not held.
 * An object with a field of an impossible type is held. Never throws.
 */
export function examine(at: ArchivedName, object: KubeObject, options: RestoreOptions): Findings {
  const found = examined(at, object, options);
  if (!isAllowed(at, options)) return found.held ? { ...found, held: withHint(at, found.held) } : found;
  return found.role ? { role: found.role } : {};
}

function examined(at: ArchivedName, object: KubeObject, options: RestoreOptions): Findings {
  try {
    const system = systemNamespaceOf(at, options);
    const held =
      system === SYSTEM_NAMESPACE ? `it is in ${SYSTEM_NAMESPACE}, where Holdfast's Jobs run` : undefined;
    const found = isRole(at)
      ? roleFindings(at, object, system)
      : isBinding(at)
        ? { pending: bindingFindings(at, object, system, options) }
        : heldBy(danger(at, object, system));
    return held ? { ...found, held } : found;
  } catch (error) {
    return { held: `it cannot be examined: ${error instanceof Error ? error.message : String(error)}` };
  }
}

const heldBy = (held: string | undefined): Findings => (held ? { held } : {});

/** Why a role or a binding is held, once all roles of the recovery point are known; undefined if it is not. */
export function heldOf(at: ArchivedName, pending: Pending, roles: Roles): string | undefined {
  const reason = pendingReason(pending, roles);
  return reason && withHint(at, reason);
}

/** Endpoints that are not held by themselves: their addresses, unless `allow` names them. */
export const leadsTo = (at: ArchivedName, object: KubeObject, options: RestoreOptions): string[] =>
  at.groupResource === 'services' || isAllowed(at, options) ? [] : addressesOf(at.groupResource, object);

/** Why endpoints are held that lead to the API server; undefined if they do not. */
export function heldEndpoints(
  at: ArchivedName,
  addresses: readonly string[],
  apiServers: ReadonlySet<string>,
): string | undefined {
  const address = addresses.find((a) => apiServers.has(a));
  return address && withHint(at, 'it leads to the API server');
}

/**
 * Why an object is held for approval; undefined if it is not, or if `allow` of the restore names it. `grants`: the roles of the
 * recovery point, by their place.
 */
export function holdReason(
  at: ArchivedName,
  object: KubeObject,
  options: RestoreOptions,
  grants: ReadonlyMap<string, RoleGrants> = new Map(),
): string | undefined {
  const { held, role, pending } = examine(at, object, options);
  if (held || !pending) return held;
  const place = placeOf(at.groupResource, at.namespace, at.name);
  return heldOf(at, pending, rolesOf(role ? new Map([...grants, [place, role]]) : grants));
}

/** Why an update of an existing object is held that the object alone does not tell; undefined if it is not. */
export function heldUpdate(
  at: ArchivedName,
  { live, wanted }: { readonly live: KubeObject; readonly wanted: KubeObject },
  options: RestoreOptions,
): string | undefined {
  const lowered =
    at.groupResource === 'namespaces' && !isAllowed(at, options) ? loweredLevel(live, wanted) : undefined;
  return lowered && withHint(at, `it lowers the Pod Security level of the namespace ${lowered}`);
}

const isAllowed = (at: ArchivedName, { allow = [] }: RestoreOptions): boolean =>
  allow.some((pattern) => matchesGlob(pattern, allowName(at)));

const withHint = (at: ArchivedName, reason: string): string =>
  `${reason}; to restore it, set "allow": ["${allowName(at)}"]`;

/** `plural.group/namespace/name`, or `plural.group/name` for cluster-scoped objects. */
const allowName = (at: ArchivedName): string =>
  [at.groupResource, ...(at.namespace === undefined ? [] : [at.namespace]), at.name].join('/');

type Rule = (object: KubeObject, system: string | undefined, at: ArchivedName) => string | undefined;

/** Types of which the content decides. */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['namespaces', namespaceDanger],
  ['configmaps', (_, system, at) => configDanger(at, system)],
  ['secrets', secretDanger],
  ['serviceaccounts', accountDanger],
  ['services', serviceDanger],
  ['endpoints', endpointsDanger],
  ['endpointslices.discovery.k8s.io', sliceDanger],
  ['ingresses.networking.k8s.io', ingressDanger],
  ['ingresses.extensions', ingressDanger],
  ['persistentvolumes', volumeDanger],
  ['storageclasses.storage.k8s.io', classDanger],
  ['volumeattributesclasses.storage.k8s.io', classDanger],
  ['volumesnapshotclasses.snapshot.storage.k8s.io', classDanger],
  ['volumegroupsnapshotclasses.groupsnapshot.storage.k8s.io', classDanger],
  ['csidrivers.storage.k8s.io', driverDanger],
  ['resourceclaims.resource.k8s.io', (o) => deviceDanger(recordField(o, 'spec'))],
  [
    'resourceclaimtemplates.resource.k8s.io',
    (o) => deviceDanger(recordField(recordField(o, 'spec'), 'spec')),
  ],
  ['priorityclasses.scheduling.k8s.io', priorityDanger],
  ['customresourcedefinitions.apiextensions.k8s.io', definitionDanger],
  ...FLUX.flatMap(({ group, resources = [], why }) =>
    resources.map((resource): [string, Rule] => [
      `${resource}.${group}`,
      (o) => (textField(recordField(o, 'spec'), 'serviceAccountName') === undefined ? why : undefined),
    ]),
  ),
]);

function danger(at: ArchivedName, object: KubeObject, system: string | undefined): string | undefined {
  return (
    heldType(at.groupResource) ??
    RULES.get(at.groupResource)?.(object, system, at) ??
    podDanger(at, object, system)
  );
}
