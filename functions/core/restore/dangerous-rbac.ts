import type { RestoreOptions } from '../../contract/restore-options.ts';
import type { ArchivedName } from '../backup/archive.ts';
import type { JsonRecord } from '../bytes/json-value.ts';
import type { KubeObject } from '../kubernetes/resources.ts';
import type { Roles } from './archived-roles.ts';
import { targetOf } from './namespace-mapping.ts';
import { placeOf } from './references.ts';
import { grantsOf, isWriting, type RoleGrants } from './role-grants.ts';
import { entriesField, recordField, recordsField, textField } from './strict-fields.ts';

const RBAC = 'rbac.authorization.k8s.io';
const CLUSTER_ROLES = `clusterroles.${RBAC}`;
const AGGREGATE = /^rbac\.authorization\.k8s\.io\/aggregate-to-(.*)$/s;

export const isRole = ({ groupResource }: ArchivedName): boolean =>
  groupResource === CLUSTER_ROLES || groupResource === `roles.${RBAC}`;
export const isBinding = ({ groupResource }: ArchivedName): boolean =>
  groupResource === `clusterrolebindings.${RBAC}` || groupResource === `rolebindings.${RBAC}`;

/** What is decided about an object of RBAC when all roles of the recovery point are known. It is small. */
export interface Pending {
  /** Whether it is a role, and no binding. */
  readonly isRole: boolean;
  /** Whom it lets do what the role lets them do: `evil/default`. */
  readonly who: string;
  /** The role, and how a reason calls it. */
  readonly role: string;
  /** The place of that role in the cluster, if a mapping takes it elsewhere. */
  readonly target?: string;
  readonly roleName: string;
  /** Where it holds: `the cluster`, or a namespace. */
  readonly of: string;
  /** Whether only what is held everywhere counts. */
  readonly isOwn: boolean;
  /** Whether it is held unless it grants no more than the election of a leader. */
  readonly isSystem: boolean;
  /** Whom it names that stands for more than one application: it is held whatever the role is. */
  readonly everybody?: string;
}

/**
 * A role of the recovery point, and what is decided about it when the others are known: its own rules, and those that it takes
 * in. @throws OddField if a field has an impossible type.
 */
export function roleFindings(
  at: ArchivedName,
  object: KubeObject,
  system: string | undefined,
): { role: RoleGrants; held?: string; pending?: Pending } {
  const isWide = at.groupResource === CLUSTER_ROLES;
  const role = grantsOf(object, isWide);
  const labels = isWide ? entriesField(object.metadata, 'labels') : [];
  const taken = labels.flatMap(([key]) => AGGREGATE.exec(key)?.[1] ?? []);
  const who = taken.length > 0 ? `everybody with the role ${taken.join(' or ')}` : 'whoever is bound to it';
  if (role.powers.length === 0 && !role.takesIn) {
    const adds = taken.includes('view') && isWriting(object);
    return { role, ...(adds && { held: `it lets ${who} write` }) };
  }
  const pending: Pending = {
    isRole: true,
    who,
    role: placeOf(at.groupResource, at.namespace, at.name),
    roleName: at.name,
    of: isWide ? 'the cluster' : `namespace ${at.namespace}`,
    isOwn: !isWide && system === undefined,
    isSystem: false,
  };
  return { role, pending };
}

/** What is to be decided about a binding. @throws OddField if a field has an impossible type. */
export function bindingFindings(
  at: ArchivedName,
  object: KubeObject,
  system: string | undefined,
  options: RestoreOptions,
): Pending {
  const subjects = recordsField(object, 'subjects').map((s) => subjectOf(s, at));
  const ref = recordField(object, 'roleRef');
  const [kind, name] = [textField(ref, 'kind'), textField(ref, 'name') ?? ''];
  const isWide = at.groupResource === `clusterrolebindings.${RBAC}`;
  const isRoleOfNamespace = !isWide && kind === 'Role';
  const everybody = subjects.find((s) => s.isEverybody)?.text;
  const { namespace } = targetOf(at, options);
  const isForeign = subjects.some((s) => s.home !== undefined && s.home !== at.namespace);
  return {
    isRole: false,
    who: listed(subjects.map((s) => s.text)),
    role: isRoleOfNamespace
      ? placeOf(`roles.${RBAC}`, at.namespace, name)
      : placeOf(CLUSTER_ROLES, undefined, name),
    ...(isRoleOfNamespace &&
      namespace !== at.namespace && { target: placeOf(`roles.${RBAC}`, namespace, name) }),
    roleName: `${isRoleOfNamespace ? 'Role' : 'ClusterRole'} ${name}`,
    of: isWide ? 'the cluster' : `namespace ${at.namespace}`,
    isOwn: !isWide && system === undefined && !isForeign,
    isSystem: system !== undefined,
    ...(everybody && { everybody }),
  };
}

interface Subject {
  readonly text: string;
  /** The namespace of the accounts that it means. */
  readonly home?: string | undefined;
  /** Whether it means users or groups of Kubernetes itself, or everybody. */
  readonly isEverybody: boolean;
}

function subjectOf(subject: JsonRecord, at: ArchivedName): Subject {
  const [kind, name] = [textField(subject, 'kind'), textField(subject, 'name') ?? ''];
  if (kind === 'ServiceAccount') {
    const home = textField(subject, 'namespace') ?? at.namespace;
    return { text: `${home}/${name}`, home, isEverybody: false };
  }
  const [, home, account] = /^system:serviceaccounts?:([^:]+)(?::([^:]+))?$/.exec(name) ?? [];
  const isAccount =
    home !== undefined && (account !== undefined) === name.startsWith('system:serviceaccount:');
  if (isAccount)
    return { text: account ? `${home}/${account}` : `every account of ${home}`, home, isEverybody: false };
  return {
    text: `${kind === 'User' ? 'user' : 'group'} ${name}`,
    isEverybody: name.startsWith('system:'),
  };
}

function listed(texts: readonly string[]): string {
  if (texts.length === 0) return 'whoever is added to it';
  const shown = texts.slice(0, 2).join(' and ');
  return texts.length > 2 ? `${shown} and ${texts.length - 2} more` : shown;
}

/** Why a role or a binding is held, once all roles are known; undefined if it is not. */
export function pendingReason(pending: Pending, roles: Roles): string | undefined {
  const { isRole, who, role, target, roleName, of, isOwn, isSystem, everybody } = pending;
  const powers = isRole ? roles.archivedPowersOf(role) : roles.powersOf(role, target);
  const power = powers?.find((p) => !isOwn || p.anywhere);
  const can = power?.can.replaceAll('{of}', of);
  if (everybody) return `it gives ${roleName} to ${everybody}${can ? `, and lets them ${can}` : ''}`;
  if (can) return `it lets ${who} ${can}${isRole ? '' : ` (${roleName})`}`;
  if (isRole || roles.isElection(role)) return undefined;
  if (isSystem) return `it gives ${roleName} in ${of}, where parts of the cluster run, to ${who}`;
  // The cluster may have it, with any rules.
  return powers ? undefined : `it gives ${who} ${roleName}, which is not in the recovery point`;
}
